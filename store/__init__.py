"""The memory (存): ledger, petitions, history and outbox behind one writer."""
