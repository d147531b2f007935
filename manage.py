#!/usr/bin/env python3
import gc
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_router.settings")
    gc.disable()  # what is loaded lives as long as the process: looking for garbage in it took a quarter of a start
    import django

    django.setup()
    gc.freeze()
    gc.enable()
    from django.core.management import execute_from_command_line
    from django.db import Error

    from core.db.faults import fault_of

    try:
        execute_from_command_line(sys.argv)
    except Error as error:
        if fault_of(error) is None:
            raise
        sys.exit(f"The database did not do its part: {str(error).partition(chr(10))[0]}")
