"""Totals of budget and debts, and CSV files of both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zegel_client.cli.answer import Answer
from zegel_client.cli.commands.records import note_faulty
from zegel_client.cli.failure import WRONG_USE, CommandError
from zegel_client.cli.given import read_file, write_file
from zegel_client.cli.moments import parse_day
from zegel_client.cli.table import table
from zegel_client.cli.visible import visible_line
from zegel_client.client.filing import Filing
from zegel_client.clock import day_of, now_ms
from zegel_client.engine.roles import BUDGET, DEBTS
from zegel_protocol import finance, primitives
from zegel_protocol.fields import Filed, fault_sentence
from zegel_protocol.finance import Debt, Entry, Notation, Variant
from zegel_protocol.ids import ID_BYTES, id_text

if TYPE_CHECKING:
    from zegel_client.cli.call import Call
    from zegel_client.client import Section
    from zegel_client.client.filing import Fileable


def _euros(cents: int) -> str:
    return finance.write_amount(cents, Notation.ENGLISH)


async def overview(call: Call) -> Answer:
    """The totals of a budget on a day; see `finance.Overview`."""
    given = call.line.find("on")
    on = parse_day(given, "--on") if given is not None else day_of(now_ms(), None)
    async with call.dossier() as dossier:
        filing = await Filing.of(dossier, dossier.section(BUDGET))
    note_faulty(call, filing)
    total = finance.overview((filed.record for filed in filing.of_type(Entry)), on)
    rows = [
        ("income", _euros(total["income_cents"])),
        *((f"  {group}", _euros(cents)) for group, cents in total["per_group_cents"].items() if group != "income"),
        ("spending", _euros(total["spending_cents"])),
        ("left over", _euros(total["balance_cents"])),
    ]
    return Answer(total, table((f"A MONTH, ON {on.isoformat()}", "EURO"), rows, right=("EURO",)))


async def debts(call: Call) -> Answer:
    """The totals of the debts; see `finance.DebtsOverview`. With ``--divide`` also ``division``: cents by debt."""
    cents = call.line.number("divide", 0)
    async with call.dossier() as dossier:
        filing = await Filing.of(dossier, dossier.section(DEBTS))
    note_faulty(call, filing)
    found = filing.of_type(Debt)
    total = finance.debts_overview(filed.record for filed in found)
    rows = [
        ("debts", str(total["count"])),
        ("  of which unknown", str(total["unknown_count"])),
        ("outstanding", _euros(total["outstanding_cents"])),
        *((f"  {kind}", _euros(part)) for kind, part in total["per_kind_cents"].items()),
        ("preferential", _euros(total["preferential_cents"])),
        ("agreed a month", _euros(total["agreed_monthly_cents"])),
        *((f"  {debtor}", _euros(part)) for debtor, part in total["per_debtor_cents"].items()),
    ]
    value: dict[str, object] = {**total}
    if cents is not None:
        parts = finance.divide(cents, {filed.id: filed.record for filed in found})
        value["division"] = {id_text(debt): part for debt, part in parts.items()}
        names = {filed.id: filed.record.creditor or id_text(filed.id) for filed in found}
        rows += [(f"divided: {names[debt]}", _euros(part)) for debt, part in parts.items()]
    return Answer(value, table(("DEBTS", "EURO"), rows, right=("EURO",)))


async def import_csv(call: Call) -> Answer:
    """``{"created", "changed", "unchanged", "refused": [{"line", "row", "reasons"}], "ignored"}``."""
    content = read_file(call.line.get("file"))
    async with call.dossier() as dossier:
        section = _money_section(dossier.section(call.line.get("section")))
        reading = finance.read_entries(content) if section.kind == BUDGET else finance.read_debts(content)
        filing = await Filing.of(dossier, section)
        rows: list[Filed[Fileable]] = [
            Filed(row.record_id or primitives.random_bytes(ID_BYTES), row.record) for row in reading.accepted
        ]
        changed = filing.list_changed(rows)
        known = sum(filing.find(row.id) is not None for row in changed)
        call.progress.begin("import", len(changed))
        await filing.put(changed, call.progress.step)
    value = {
        "created": len(changed) - known,
        "changed": known,
        "unchanged": len(rows) - len(changed),
        "refused": [
            {"line": row.line, "row": row.row, "reasons": [fault_sentence(fault, "en") for fault in row.faults]}
            for row in reading.refused
        ],
        "ignored": [*reading.ignored],
    }
    lines = [f"{value['created']} created, {value['changed']} changed, {value['unchanged']} as they were"]
    lines += [
        f"line {row.line} refused: {visible_line('; '.join(fault_sentence(fault, 'en') for fault in row.faults))}"
        for row in reading.refused
    ]
    lines += [f"column ignored: {visible_line(heading)}" for heading in reading.ignored]
    return Answer(value, "\n".join(lines))


async def export_csv(call: Call) -> Answer:
    """``{"file", "records"}``."""
    path = Path(call.line.get("file"))
    variant = Variant.EXCEL if call.line.flag("excel") else Variant.PLAIN
    async with call.dossier() as dossier:
        section = _money_section(dossier.section(call.line.get("section")))
        filing = await Filing.of(dossier, section)
    note_faulty(call, filing)
    if section.kind == BUDGET:
        entries = [(filed.id, filed.record) for filed in filing.of_type(Entry)]
        count, content = len(entries), finance.write_entries(entries, variant)
    else:
        found = [(filed.id, filed.record) for filed in filing.of_type(Debt)]
        count, content = len(found), finance.write_debts(found, variant)
    write_file(path, content)
    return Answer({"file": str(path), "records": count}, f"{count} records written to {visible_line(str(path))}")


def _money_section(section: Section) -> Section:
    if section.kind not in {BUDGET, DEBTS}:
        raise CommandError(WRONG_USE, f"only {BUDGET} and {DEBTS} go into CSV files")
    return section
