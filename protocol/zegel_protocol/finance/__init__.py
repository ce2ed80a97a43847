"""Money: entries, debts, their totals, typed amounts and CSV files. Whole cents and fractions, never floats.

Spec: ``protocol/spec/finance.md``.
"""

from zegel_protocol.finance.amount import AmbiguousAmount as AmbiguousAmount
from zegel_protocol.finance.amount import Notation as Notation
from zegel_protocol.finance.amount import read_amount as read_amount
from zegel_protocol.finance.amount import write_amount as write_amount
from zegel_protocol.finance.budget import CategoryTotal as CategoryTotal
from zegel_protocol.finance.budget import MonthBalance as MonthBalance
from zegel_protocol.finance.budget import Overview as Overview
from zegel_protocol.finance.budget import YearOverview as YearOverview
from zegel_protocol.finance.budget import list_categories as list_categories
from zegel_protocol.finance.budget import list_months_ahead as list_months_ahead
from zegel_protocol.finance.budget import list_shown as list_shown
from zegel_protocol.finance.budget import overview as overview
from zegel_protocol.finance.budget import year_overview as year_overview
from zegel_protocol.finance.cancellation import Cancellation as Cancellation
from zegel_protocol.finance.cancellation import find_last_day_to_cancel as find_last_day_to_cancel
from zegel_protocol.finance.cancellation import list_cancellations as list_cancellations
from zegel_protocol.finance.csv_file import AcceptedRow as AcceptedRow
from zegel_protocol.finance.csv_file import Reading as Reading
from zegel_protocol.finance.csv_file import RefusedRow as RefusedRow
from zegel_protocol.finance.csv_file import read_debts as read_debts
from zegel_protocol.finance.csv_file import read_entries as read_entries
from zegel_protocol.finance.csv_file import write_debts as write_debts
from zegel_protocol.finance.csv_file import write_entries as write_entries
from zegel_protocol.finance.csv_text import Variant as Variant
from zegel_protocol.finance.debt import Debt as Debt
from zegel_protocol.finance.debt import DebtKind as DebtKind
from zegel_protocol.finance.debt import DebtStatus as DebtStatus
from zegel_protocol.finance.debt import Liability as Liability
from zegel_protocol.finance.debt_totals import DebtsOverview as DebtsOverview
from zegel_protocol.finance.debt_totals import debts_overview as debts_overview
from zegel_protocol.finance.debt_totals import divide as divide
from zegel_protocol.finance.debt_totals import list_months_of_debt as list_months_of_debt
from zegel_protocol.finance.entry import Entry as Entry
from zegel_protocol.finance.entry import Group as Group
from zegel_protocol.finance.period import Period as Period
