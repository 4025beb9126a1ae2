"""Whether three dispatchers keep one limit together: 10 e-mails a second, counted by Resend's stand-in.

Measured: the rate between the first and the last e-mail as the stand-in saw them, while three processes of
`fisio-ayida messages dispatch` drain one outbox; the stand-in answers 429 to every call beyond its 10 a second.
"""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack

from bench import messages
from bench.events import number, started, variables
from bench.harness import WORK, BenchError, parser, publish, verdict
from bench.stage import stage
from bench.stand_ins import stand_in
from fisio_ayida.simulators.resend import ResendControl

PER_SECOND, LEAST = 10, 9.5
PROCESSES = 3
LONGEST_SECONDS = 300


def main(arguments: list[str]) -> int:
    options = parser("messaging-pace", __doc__)
    options.add_argument("--messages", type=int, default=800, help="how many e-mails (default %(default)s)")
    chosen = options.parse_args(arguments)
    size = 60 if chosen.quick else chosen.messages
    with stage() as place, stand_in("resend", "--requests-per-second", str(PER_SECOND)) as url:
        database = place.database("bench_messaging_pace", migrated=True)
        own = variables(
            database, MESSAGING_KEY=messages.KEY, RESEND_BASE_URL=url, RESEND_API_KEY="stand-in",
            RESEND_REQUESTS_PER_SECOND=str(PER_SECOND),
        )  # fmt: skip
        control = ResendControl(url)
        with place.connect(database) as conn:
            messages.people(conn, size, 20)
            messages.plan(conn, list(messages.reminders(size, 20, "email")), messages.settings(database))
            with ExitStack() as stack:
                running = [
                    stack.enter_context(started(messages.DISPATCH, own, WORK / "logs" / f"messaging-pace-{n}.log"))
                    for n in range(PROCESSES)
                ]
                for process in running:
                    process.wait(LONGEST_SECONDS)
            accepted = number(conn, "select count(*) from messaging.messages where state = 'accepted'")
            runs = number(conn, "select count(distinct run_id) from messaging.messages")
        at = sorted(dt.datetime.fromisoformat(mail["at"]) for mail in control.sent)
        state = control.state()
        control.close()
    if accepted != size or len(at) != size:
        raise BenchError(f"{size} planned, {accepted:.0f} accepted, {len(at)} delivered")
    # All processes are there after their start, and none has ended before the last quarter.
    middle = at[size // 8 : size - size // 8]
    rate = (len(middle) - 1) / (middle[-1] - middle[0]).total_seconds()
    refused = int(state["refused_by_limit"])
    lines = [
        f"{runs:.0f} processes, {size} e-mails, a limit of {PER_SECOND} a second enforced by the stand-in.",
        "",
        f"**{rate:.2f}/s** over {(middle[-1] - middle[0]).total_seconds():.0f} s (target {LEAST}: "
        f"{verdict(rate >= LEAST)}); {refused} answers 429 (none: {verdict(not refused)}).",
    ]
    publish("messaging-pace", chosen, lines, {"rate": rate, "refused": refused, "messages": size, "runs": runs})
    return 0
