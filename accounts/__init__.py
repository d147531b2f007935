"""Sign-in to the back-office: passwords, two factors, lock-out, and what each role may do."""
