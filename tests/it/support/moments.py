"""A real Hermes that writes to a board by chance and stops at every moment until the test has looked: a line out, a line in.

moments.py BOARD SEED wal|delete STEPS. Not part of Hermes: it calls the functions of whatever `hermes_cli` its Python has."""
import importlib, os, random, sqlite3, sys
from pathlib import Path
from hermes_cli import kanban_db as kb

board, seed, mode, steps = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
dice = random.Random(seed)
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
connect = getattr(kb, "connect", None) or importlib.import_module("hermes_cli.kanban_db_connect").connect


def moment():
    print("moment", file=out, flush=True)
    sys.stdin.readline()
    return 0


def opened():
    conn = connect(Path(board))
    conn.execute("PRAGMA journal_mode=" + mode).fetchall()
    conn.execute("PRAGMA wal_autocheckpoint=%d" % dice.choice([5, 20, 100, 1000]))
    conn.execute("PRAGMA cache_size=%d" % dice.choice([5, 10, 100]))
    conn.execute("PRAGMA secure_delete=ON").fetchall()
    conn.execute("PRAGMA busy_timeout=20").fetchall()
    return conn


def tasks(conn):
    return [row[0] for row in conn.execute("select id from tasks")]


def words(most):
    return " ".join(dice.choice(["alpha", "beta", "fix", "rollback", "naïve"]) for _ in range(dice.randint(1, most)))


def work(conn):
    known, roll = tasks(conn), dice.random()
    try:
        if not known or roll < .35:
            kb.create_task(conn, title=words(9), body=words(dice.choice([20, 200, 3000])), assignee="alice")
        elif roll < .5:
            kb.complete_task(conn, dice.choice(known), result=words(30))
        elif roll < .65:
            kb.add_comment(conn, dice.choice(known), "bob", words(dice.choice([20, 1500])))
        elif roll < .72:
            kb.assign_task(conn, dice.choice(known), dice.choice(["alice", "coder"]))
        elif roll < .78:
            kb.archive_task(conn, dice.choice(known))
        elif roll < .84:
            kb.delete_task(conn, dice.choice(known))
        elif roll < .87:
            kb.gc_events(conn, older_than_seconds=dice.choice([-1, 0, 5]))
        elif roll < .9:
            conn.execute("BEGIN IMMEDIATE")
            for _ in range(dice.randint(1, 200)):
                conn.execute("insert into task_events(task_id,kind,payload,created_at) values(?,?,?,1790000000)",
                             (dice.choice(known), "heartbeat", words(40)))
            conn.execute("COMMIT")
        elif roll < .93 and len(known) > 1:
            kb.link_tasks(conn, *dice.sample(known, 2))
        elif roll < .97:
            conn.execute("PRAGMA wal_checkpoint(%s)" % dice.choice(["PASSIVE", "FULL", "RESTART", "TRUNCATE"])).fetchall()
        elif roll < .98:
            conn.execute("VACUUM")
        else:
            kb.block_task(conn, dice.choice(known), reason=words(5))
    except (sqlite3.Error, ValueError, RuntimeError):
        if conn.in_transaction:
            conn.rollback()


conn, reader = opened(), None
for step in range(steps):
    roll = dice.random()
    if roll < .05:
        conn.close()
        # A writer that is killed in the middle of its work.
        child = os.fork()
        if child == 0:
            conn = opened()
            left = [dice.randint(1, 40)]

            def end():
                left[0] -= 1
                if left[0] <= 0:
                    os._exit(9)
                return 0

            conn.set_progress_handler(end, 300)
            while True:
                work(conn)
        os.waitpid(child, 0)
        dice.random()
        moment()
        conn = opened()
    elif roll < .1 and reader is None and mode == "wal":
        # A reader that stays holds frames back.
        reader = sqlite3.connect(board, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("select count(*) from tasks").fetchall()
    elif roll < .2 and reader is not None:
        reader.close()
        reader = None
    conn.set_progress_handler(moment if dice.random() < .3 else None, 3000)
    work(conn)
    conn.set_progress_handler(None, 3000)
    moment()
