"""A real Hermes process that does, line by line, what a test tells it: ["verb", ...] in, ["Ok", value] or ["Err", text] out.

Not part of Hermes: it calls the functions of whatever `hermes_cli` its Python has."""
import dataclasses, json, os, sys
from hermes_cli import kanban_db as kb

conn, out = None, os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)


def plain(value):
    if dataclasses.is_dataclass(value):
        return {k: plain(v) for k, v in dataclasses.asdict(value).items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value if isinstance(value, (str, int, float, bool, dict, type(None))) else str(value)


for line in sys.stdin:
    verb, *args = json.loads(line)
    try:
        if verb == "open":
            conn, reply = kb.connect(), None
        elif verb == "at":
            if conn is not None:
                conn.close()
            os.environ["HERMES_KANBAN_DB"] = args[0]
            conn, reply = kb.connect(), None
        elif verb == "close":
            reply = conn.close()
        elif verb == "touch":  # what Hermes' own header checks, hashing and snapshots do to a process's locks
            with open(args[0], "rb") as file:
                reply = len(file.read(1))
        else:
            reply = plain(getattr(kb, verb)(conn, *args[0], **args[1]))
        print(json.dumps({"Ok": reply}), file=out, flush=True)
    except Exception as error:
        print(json.dumps({"Err": f"{type(error).__name__}: {error}"}), file=out, flush=True)
