"""What people write to each other: messages, and the reason of a recall.

Spec: ``protocol/spec/payloads.md``, section "Conversation".
"""

from zegel_protocol.conversation.erasure import Erasure as Erasure
from zegel_protocol.conversation.message import MAX_ATTACHMENTS as MAX_ATTACHMENTS
from zegel_protocol.conversation.message import MAX_MESSAGE as MAX_MESSAGE
from zegel_protocol.conversation.message import Message as Message
