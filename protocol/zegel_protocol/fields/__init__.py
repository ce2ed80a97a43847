"""The fields of typed payloads: reading, checking and wording them, the same for money, trajectory and profile."""

from zegel_protocol.fields.faults import Fault as Fault
from zegel_protocol.fields.faults import FaultCode as FaultCode
from zegel_protocol.fields.faults import InvalidRecordError as InvalidRecordError
from zegel_protocol.fields.reader import Kind as Kind
