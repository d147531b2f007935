"""Calls of the API that change configuration, and what they leave in the list of changes."""

CHANGES = "/api/v1/changes"


def of(api, **query):
    return api.get(CHANGES, query).json()["results"]


def newest(api, **query):
    return of(api, **query)[0]


def revert(api, change, **headers):
    return api.post(f"{CHANGES}/{change['id']}/revert", headers=headers)


OPERATOR, SOURCE = {"name": "Vera", "max_load": 5}, {"name": "Site"}
ALWAYS = [{"weekday": day, "from": "00:00", "to": "24:00"} for day in range(1, 8)]
WAYS = {  # what is recorded, the call, what it sends, what was before, what is after
    "creating an operator": ("operator.created", "post", "/operators", OPERATOR, {}, OPERATOR | {"is_active": True}),
    "creating a source": (
        "source.created",
        "post",
        "/sources",
        SOURCE,
        {},
        {
            "name": "Site",
            "is_sticky": False,
            "may_rename": True,
            "phone_format": "national",
            "phone_region": "",
            "strategy": "weighted_random",
            "unreadable_phones": "refuse",
            "max_offers": 3,
        },
    ),
    "duty": ("operator.changed", "patch", "/operators/{0}", {"is_active": False}, {"is_active": True}, None),
    "a limit": ("operator.changed", "patch", "/operators/{0}", {"max_load": 3}, {"max_load": 10}, None),
    "caps": (
        "operator.changed",
        "patch",
        "/operators/{0}",
        {"max_per_hour": 5, "queue_pace": 2},
        {"max_per_hour": None, "queue_pace": None},
        None,
    ),
    "an id elsewhere": (
        "operator.changed",
        "patch",
        "/operators/{0}",
        {"external_ref": "x"},
        {"external_ref": None},
        None,
    ),
    "handing over": (
        "operator.handed_over",
        "post",
        "/operators/{0}/handover",
        {},
        {"is_active": True},
        {"is_active": False},
    ),
    "a schedule": (
        "operator.scheduled",
        "put",
        "/operators/{0}/schedule",
        {"time_zone": "UTC", "weekly": ALWAYS},
        {"time_zone": None, "weekly": []},
        None,
    ),
    "an absence": (
        "operator.absence_added",
        "post",
        "/operators/{0}/absences",
        {"from": "2090-01-01T00:00:00Z", "to": "2090-01-15T00:00:00Z"},
        {},
        None,
    ),
    "a pause": (
        "operator.paused",
        "post",
        "/operators/{0}/pause",
        {"until": "2090-01-01T00:00:00Z"},
        {"is_active": True, "paused_until": None},
        {"is_active": False, "paused_until": "2090-01-01T00:00:00Z"},
    ),
    "archiving an operator": (
        "operator.archived",
        "delete",
        "/operators/{0}",
        {},
        {"archived": False},
        {"archived": True},
    ),
    "a setting": ("source.changed", "patch", "/sources/{1}", {"is_sticky": True}, {"is_sticky": False}, None),
    "archiving a source": ("source.archived", "delete", "/sources/{1}", {}, {"archived": False}, {"archived": True}),
    "a weight": (
        "roster.changed",
        "post",
        "/sources/{1}/operators",
        {"operator_id": 0, "weight": 20},
        {"0": 10},
        {"0": 20},
    ),
    "a roster": ("roster.changed", "put", "/sources/{1}/operators", [], {"0": 10}, {"0": None}),
    "leaving a roster": ("roster.changed", "delete", "/sources/{1}/operators/{0}", {}, {"0": 10}, {"0": None}),
}


def of_anna(value, anna):
    """The value with Anna's id in place of 0."""
    if isinstance(value, dict) and "operator_id" in value:
        return value | {"operator_id": anna.pk}
    return {str(anna.pk): value["0"]} if isinstance(value, dict) and "0" in value else value
