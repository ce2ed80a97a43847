"""The fields of typed payloads: reading, checking and wording them, the same for every kind.

Spec: ``protocol/spec/payloads.md``.
"""

from zegel_protocol.fields.faults import QUESTIONS as QUESTIONS
from zegel_protocol.fields.faults import Fault as Fault
from zegel_protocol.fields.faults import FaultCode as FaultCode
from zegel_protocol.fields.faults import InvalidRecordError as InvalidRecordError
from zegel_protocol.fields.filed import Filed as Filed
from zegel_protocol.fields.filed import read_filed as read_filed
from zegel_protocol.fields.filed import show_filed as show_filed
from zegel_protocol.fields.kind import FORMAT as FORMAT
from zegel_protocol.fields.kind import Kind as Kind
from zegel_protocol.fields.wording import fault_sentence as fault_sentence
