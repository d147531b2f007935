from tests.access.conftest import fresh_allowance, keys_are_required, telegram, whatsapp

__all__ = ["fresh_allowance", "keys_are_required", "telegram", "whatsapp"]
