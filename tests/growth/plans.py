"""What PostgreSQL really does for a statement: how many rows of a large table it reads.

A test's tables are small enough to be read as a whole at times, and production's are not. So sequential scans are
forbidden as far as PostgreSQL can do without, which leaves them where no index serves; and whoever goes through a large
index instead is found by the number of rows.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from django.db import connection

LARGE = {"routing_contact", "leads_lead", "leads_identity", "routing_contactevent", "leads_possibleduplicate"}
MOST = 1_000  # rows of one large table; there are 12,000 contacts
PLAIN = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "START", "COMMIT", "SET", "LOCK")  # reads no table
MANY = re.compile(r"\d+ times: ")  # of `executemany`: writes by key, whose values Django does not note
WRITES = re.compile(r'\b(INSERT INTO|UPDATE|DELETE FROM) "')
PRODUCTION = "SET LOCAL enable_seqscan = off; SET LOCAL random_page_cost = 1.1"  # the latter: deploy/postgresql


def faults(statements: list[str]) -> list[str]:
    """Each step that goes through a large table, in words. Runs those again that read only, and explains the others."""
    with connection.cursor() as cursor:
        cursor.execute(PRODUCTION)
        return [fault for statement in statements for fault in faults_of(cursor, statement)]


def faults_of(cursor: Any, statement: str) -> Iterator[str]:
    if statement.startswith(PLAIN) or MANY.match(statement):
        return
    analyze = "" if WRITES.search(statement) else "ANALYZE, TIMING OFF, "
    cursor.execute(f"EXPLAIN ({analyze}FORMAT JSON) {statement}")
    [[document]] = cursor.fetchall()
    [plan] = document if isinstance(document, list) else json.loads(document)
    for node in nodes(plan["Plan"]):
        number = rows_read(node)
        if node.get("Relation Name") in LARGE and (node["Node Type"] == "Seq Scan" or number > MOST):
            yield f"{node['Node Type']} of {node['Relation Name']}, {number} rows, for {statement}"


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from nodes(below)


def rows_read(node: dict[str, Any]) -> int:
    """Those that it found, and those that it looked at in vain; 0 where it was only explained."""
    if "Actual Rows" not in node or node["Node Type"] == "ModifyTable":
        return 0
    in_vain = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return int((node["Actual Rows"] + in_vain) * node["Actual Loops"])
