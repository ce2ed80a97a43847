"""The protocol of Zegel: pure, without I/O, clock or logging; the spec is in `protocol/spec`."""
