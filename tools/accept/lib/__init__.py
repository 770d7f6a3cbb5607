"""What the acceptance scripts share: a gateway as a process, an X.225 user over asyncio, a report."""
