"""Tables of related rows on the page of a thing."""

from unfold.admin import TabularInline


class UntitledInline(TabularInline):
    """Rows without a line above each that repeats what is in them."""


# unfold 0.91 calls it hide_title, later releases show_title, and warn of the former.
if hasattr(TabularInline, "show_title"):
    UntitledInline.show_title = False
else:
    UntitledInline.hide_title = True
