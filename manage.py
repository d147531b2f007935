#!/usr/bin/env python3
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_router.settings")
    from django.core.management import execute_from_command_line
    from django.db import Error

    from core.db.faults import fault_of

    try:
        execute_from_command_line(sys.argv)
    except Error as error:
        if fault_of(error) is None:
            raise
        sys.exit(f"The database did not do its part: {str(error).partition(chr(10))[0]}")
