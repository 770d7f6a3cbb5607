"""Sessions that stay: processes of X.225 users who connect, echo something now and then, and wait."""

import asyncio
import multiprocessing
import resource

from lib.x225 import Gone, Refused, User

PER_PROCESS_MAX = 5000
# One in so many sessions says something every second; the others have spoken once.
TALKATIVE = 20


async def stay(address, number, place):
    """One session, until the process ends."""
    async with place:
        user = await User.connect(address)
        await user.echo(b"\x07" * (number % 900 + 100))
    while number % TALKATIVE == 0:
        await asyncio.sleep(1)
        await user.echo(b"\x07" * 500)
    return user


def users(places, ready):
    """The users of one process; they stay until it is ended."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)

    async def run():
        place = asyncio.Semaphore(100)
        tasks = [asyncio.create_task(stay(address, number, place)) for number, address in enumerate(places)]
        ready.put(len(tasks))
        await asyncio.gather(*tasks)
        await asyncio.Event().wait()
    asyncio.run(run())


class Crowd:
    """So many sessions to one address and so many to another, while it is a context."""

    def __init__(self, first, count, second, second_count):
        places = [first] * count + [second] * second_count
        # Both kinds in each process, evenly.
        processes = -(-len(places) // PER_PROCESS_MAX)
        self.shares = [places[at::processes] for at in range(processes)]

    def __enter__(self):
        ready = multiprocessing.Queue()
        self.processes = [multiprocessing.Process(target=users, args=(share, ready), daemon=True)
                          for share in self.shares]
        for process in self.processes:
            process.start()
        for _ in self.processes:
            ready.get(timeout=60)
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
            process.join()

    def misbehave(self, closed, open_):
        """Who is not let in, who calls nobody, who breaks the protocol: events and refusals to be looked at."""
        async def run():
            for address, called in ((closed, b"\x00\x01"), (closed, b"\x00\x01"), (open_, b"\x00\x09")):
                try:
                    await User.connect(address, called_tsap=called)
                except (Gone, Refused):
                    continue
                raise AssertionError("it was let in")
            reader, writer = await asyncio.open_connection(*open_)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            await reader.read()
            writer.close()
        asyncio.run(run())
