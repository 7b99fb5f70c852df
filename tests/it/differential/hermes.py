"""Hermes' own functions on one board, told by a test: one JSON array in, one JSON array out. Not part of Hermes.

The clock and the ids are the test's: they are set with every operation, so that two boards can be compared row by row."""
import argparse, contextlib, dataclasses, io, json, os, sys, time

out = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)
clock, ids = [1780000000], []
time.time = lambda: float(clock[0])
import secrets
drawn = secrets.token_hex
secrets.token_hex = lambda n=None: ids.pop(0) if ids and n == 4 else drawn(n)

from hermes_cli import kanban_db as kb
try:
    from hermes_cli import kanban_db_connect as kbc, kanban_db_dispatch as kbd
except ImportError:
    kbc = kbd = kb
try:
    from hermes_cli import kanban_db_notify as kbn
except ImportError:
    kbn = kb
from hermes_cli import kanban
try:  # No network, and no profile's login: what the receipt then says is compared.
    from hermes_cli import kanban_pr_acceptance as pr

    def unreachable(*_, **__):
        raise OSError("no network")

    pr._api, pr._assignee_profile_home = unreachable, lambda assignee: None
except ImportError:
    pass
conn = None


def plain(value):
    if dataclasses.is_dataclass(value):
        return {k: plain(v) for k, v in dataclasses.asdict(value).items()}
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def commented(task, author, word, reason, then):
    if reason:
        kb.add_comment(conn, task, author, f"{word}: {reason}")
    return then()


def find(name):
    for module in (kb, kbd, kbc, kbn):
        if hasattr(module, name):
            return getattr(module, name)
    raise LookupError(f"this Hermes has no {name}")


for line in sys.stdin:
    ask = json.loads(line)
    clock[0] = ask.get("now", clock[0])
    ids[:] = ask.get("ids", [])
    try:
        do, args, named = ask["do"], ask.get("args", []), ask.get("named", {})
        if do == "open":
            conn, reply = kbc.connect(), None
        elif do == "close":
            reply = conn.close()
        elif do == "json":
            reply = [kanban._task_to_dict(task) for task in kb.list_tasks(conn, include_archived=True)]
        elif do == "printed":
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                getattr(kanban, "_cmd_" + args[0])(argparse.Namespace(json=True, **named))
            reply = json.loads(said.getvalue())
        elif do == "sql":
            conn.executescript(args[0])
            reply = None
        elif do == "succeeds":
            find(args[0]["do"])(conn, *args[0].get("args", []), **args[0].get("named", {}))
            reply = True
        elif do == "commented":
            author, word, reason, inner = args
            reply = commented(named["task"], author, word, reason,
                              lambda: find(inner["do"])(conn, *inner.get("args", []), **inner.get("named", {})))
        else:
            reply = find(do)(conn, *args, **named)
        answer = {"Ok": plain(reply)}
    except Exception as error:
        answer = {"Err": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), file=out, flush=True)
