"""The client without sockets, clock or files: verified replicas, drafts, outbox."""
