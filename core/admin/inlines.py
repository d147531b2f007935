"""Tables of related rows on the page of an object."""

from unfold.admin import TabularInline


class UntitledInline(TabularInline):
    """A table without a title line above each row, which would repeat its content."""


# unfold 0.91 calls it hide_title; later releases call it show_title and warn about the former.
if hasattr(TabularInline, "show_title"):
    UntitledInline.show_title = False
else:
    UntitledInline.hide_title = True
