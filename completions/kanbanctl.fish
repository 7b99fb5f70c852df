# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_kanbanctl_global_optspecs
    string join \n board= db= all-boards format= json o= q/quiet v/verbose color= ascii timeout= if-busy= y/yes no-input n/dry-run h/help V/version
end

function __fish_kanbanctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_kanbanctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_kanbanctl_using_subcommand
    set -l cmd (__fish_kanbanctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -s V -l version -d 'Print version'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "assignees" -d 'List the profiles that have tasks or are configured, with their tasks by status'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "attachments" -d 'List the attachments of one task, or of all'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "backup" -d 'Copy a board as of one moment, verified'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "backups" -d 'Look at the copies beside a board, and thin them out'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "board" -d 'Show the board: a column for each status that has tasks, archived ones left out'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "boards" -d 'Look at the boards under the root'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "checkpoint" -d 'Copy committed frames from the WAL into the board\'s file'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "complete" -d 'Complete tasks; prints their ids once they are committed'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "context" -d 'Show what a worker has to know about a task: its text, attachments, earlier attempts, results of its parents, what its profile did last, and its comments'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "create" -d 'Create tasks; prints their ids once they are committed'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "diagnostics" -d 'Show tasks that are stuck: failing, crashing, blocked without an answer, ready without a worker'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "diag" -d 'Show tasks that are stuck: failing, crashing, blocked without an answer, ready without a worker'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "events" -d 'List events in the order of their numbers'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "init" -d 'Create the board if it is missing'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "list" -d 'List tasks as they are stored; nothing is promoted by looking'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "ls" -d 'List tasks as they are stored; nothing is promoted by looking'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "log" -d 'Show the log of a task\'s worker'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "ready" -d 'List the ready tasks in the order in which the dispatcher takes them'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "runs" -d 'List the runs of a task, oldest first'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "search" -d 'Find text in titles, bodies, results, comments, summaries and errors, without regard to case; newest tasks first'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "show" -d 'Show one task with its links, comments, events and runs'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "stats" -d 'Count tasks by status and assignee; archived ones are left out'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "stress" -d 'Find out whether a directory is a place for boards: real processes on a scratch board there'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "tree" -d 'Show what waits for what, from the top, and name cycles'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "health" -d 'Check a board without changing it'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "journal-mode" -d 'Show or change how the board is journaled'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "man" -d 'Write the manual pages below a directory'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "recover" -d 'Bring back every row that is left'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "repair" -d 'Make indexes anew that their tables do not agree with'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "restore" -d 'Put one copy in the board\'s place, exactly'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "version" -d 'Print the version; with -v also SQLite\'s, and what it was built with'
complete -c kanbanctl -n "__fish_kanbanctl_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand assignees" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand assignees" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand assignees" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand assignees" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand assignees" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand assignees" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand assignees" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand assignees" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand assignees" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand assignees" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand assignees" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand assignees" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand assignees" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand assignees" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand assignees" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand assignees" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand attachments" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand attachments" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand attachments" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand attachments" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand attachments" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand attachments" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand attachments" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand attachments" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand attachments" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand attachments" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand attachments" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand attachments" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand attachments" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand attachments" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand attachments" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand attachments" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backup" -l keep -d 'Keep this many of this board\'s backups in DIR, the newest, and remove the others' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backup" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backup" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backup" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backup" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backup" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backup" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backup" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backup" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backup" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backup" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backup" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backup" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backup" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backup" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backup" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -f -a "list" -d 'List the copies, each content once'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -f -a "ls" -d 'List the copies, each content once'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -f -a "show" -d 'Show where one content lies and what it is'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -f -a "diff" -d 'Say task by task what a copy holds against the live board'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -f -a "prune" -d 'Remove copies without losing a row'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and not __fish_seen_subcommand_from list ls show diff prune help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from list" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from list" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from list" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from list" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from list" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from list" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from list" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from list" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from list" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from list" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from list" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from list" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from ls" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from ls" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from ls" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from ls" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from ls" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from ls" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from ls" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from ls" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from ls" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from ls" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from ls" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from ls" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from ls" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from show" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from show" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from show" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from show" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from show" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from show" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from show" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from show" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from show" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from show" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from show" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from show" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from diff" -l limit -d 'Name at most this many tasks [default: 100 in a table, all in the other formats]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from diff" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from diff" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from diff" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from diff" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from diff" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from diff" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from diff" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from diff" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from diff" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from diff" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from diff" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from diff" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from diff" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from diff" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from diff" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -l keep -d 'Keep this many of the newest contents, of Hermes\' copies and of our backups' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -l older-than -d 'Remove only what was last written longer ago than this, such as 12h or 30d' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -l max-bytes -d 'Remove no more once all copies take this many bytes or fewer, such as 500M' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -l force-lossy -d 'Remove copies although they hold row versions that are nowhere else'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the copies, each content once'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show where one content lies and what it is'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from help" -f -a "diff" -d 'Say task by task what a copy holds against the live board'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from help" -f -a "prune" -d 'Remove copies without losing a row'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand backups; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand board" -l assignee -d 'Only tasks of this profile' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand board" -l limit -d 'At most N tasks in a column' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand board" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand board" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand board" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand board" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand board" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand board" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand board" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand board" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand board" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand board" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand board" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand board" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand board" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand board" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand board" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand board" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -f -a "list" -d 'List the boards with their counts, the default one first'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -f -a "ls" -d 'List the boards with their counts, the default one first'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -f -a "show" -d 'Show one board\'s path, the rule that chose it, and what is there'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and not __fish_seen_subcommand_from list ls show help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from list" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from list" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from list" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from list" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from list" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from list" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from list" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from list" -l all -d 'Also the boards that their board.json hides'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from list" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from list" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from list" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from list" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from list" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from ls" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from ls" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from ls" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from ls" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from ls" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from ls" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from ls" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from ls" -l all -d 'Also the boards that their board.json hides'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from ls" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from ls" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from ls" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from ls" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from ls" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from ls" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from show" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from show" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from show" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from show" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from show" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from show" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from show" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from show" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from show" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from show" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from show" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from show" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the boards with their counts, the default one first'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show one board\'s path, the rule that chose it, and what is there'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand boards; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand checkpoint" -l mode -d 'How hard to try: passive copies what it can; full waits for writers and readers; restart also makes the next writer begin at the front; truncate cuts the file to nothing and is refused while anybody has the board open, or when it is damaged' -r -f -a "passive\t''
full\t''
restart\t''
truncate\t''"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand checkpoint" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand checkpoint" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand checkpoint" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand checkpoint" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand checkpoint" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand checkpoint" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand checkpoint" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand checkpoint" -l assume-unused -d 'With --mode truncate: go on where it cannot be proven that nobody else has the board open; never beside a process that was found'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand checkpoint" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand checkpoint" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand checkpoint" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand checkpoint" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand checkpoint" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand checkpoint" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand checkpoint" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand checkpoint" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand checkpoint" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -l from -d 'Read ids or JSON lines from this file, `-` for stdin' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -l result -d 'Result of the task' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -l summary -d 'Summary to hand over; for one task only' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -l metadata -d 'JSON object to hand over; for one task only' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand complete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand context" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand context" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand context" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand context" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand context" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand context" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand context" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand context" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand context" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand context" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand context" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand context" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand context" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand context" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand context" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand context" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l from -d 'Read tasks from JSON lines in this file, `-` for stdin' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l body -d 'Longer description' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l assignee -d 'Profile that is to do it' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l parent -d 'Task that must be done first; can be repeated' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l workspace -d 'scratch, worktree, worktree:PATH or dir:PATH' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l branch -d 'Branch of a worktree' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l tenant -d 'Tenant' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l priority -d 'Higher goes first' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l idempotency-key -d 'A second create with the same key gives back the first task' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l max-runtime -d 'Time a worker may take: seconds, or 30s, 5m, 2h, 1d' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l created-by -d 'Who made it' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l skill -d 'Skill for the worker; can be repeated' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l max-retries -d 'Failures before it is blocked' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l goal-max-turns -d 'Turns of that loop' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l initial-status -d 'Status to begin with; running means the usual one' -r -f -a "blocked\t''
running\t''"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l triage -d 'Park it in triage'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l goal -d 'Let the worker run in a goal loop'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diagnostics" -l severity -d 'Only findings of this severity and above' -r -f -a "warning\t''
error\t''
critical\t''"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diagnostics" -l task -d 'Only this task: its id, or a unique beginning of one' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diagnostics" -l failure-limit -d 'Failures from which on a task counts as failing: `kanban.failure_limit` of Hermes\' configuration' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diagnostics" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diagnostics" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diagnostics" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diagnostics" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diagnostics" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diagnostics" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diagnostics" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diagnostics" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diagnostics" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diagnostics" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diagnostics" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diagnostics" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diagnostics" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diagnostics" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diagnostics" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diagnostics" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diag" -l severity -d 'Only findings of this severity and above' -r -f -a "warning\t''
error\t''
critical\t''"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diag" -l task -d 'Only this task: its id, or a unique beginning of one' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diag" -l failure-limit -d 'Failures from which on a task counts as failing: `kanban.failure_limit` of Hermes\' configuration' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diag" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diag" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diag" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diag" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diag" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diag" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diag" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diag" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diag" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diag" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diag" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diag" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diag" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diag" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diag" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand diag" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -l kinds -d 'Only of these kinds, apart by commas' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -l assignee -d 'Only of tasks of this profile; several are a union' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -l tenant -d 'Only of tasks of this tenant' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -l since -d 'Only with a number above this' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -l limit -d 'Only the newest N' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand events" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand init" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand init" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand init" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand init" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand init" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand init" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand init" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand init" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand init" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand init" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand init" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand init" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand init" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand init" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand init" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l assignee -d 'Tasks of this profile' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l status -d 'Tasks in this status' -r -f -a "triage\t''
todo\t''
scheduled\t''
ready\t''
running\t''
blocked\t''
review\t''
done\t''
archived\t''"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l tenant -d 'Tasks of this tenant' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l session -d 'Tasks made in this session' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l parent -d 'Tasks that wait for this one' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l since -d 'Tasks created at this time or later: a date, a time in RFC 3339, or how long ago, such as 2d' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l before -d 'Tasks created before this time' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l text -d 'Tasks with this text in the title or the body; `search` looks further' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l sort -d 'Order [default: priority]' -r -f -a "completed-desc\t''
created\t''
created-desc\t''
priority\t''
priority-desc\t''
status\t''
assignee\t''
title\t''
updated\t''"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l workflow-template-id -d 'Tasks of this workflow template' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l step-key -d 'Tasks at this workflow step' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l limit -d 'At most N tasks' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l columns -d 'Columns of a table and of plain records, apart by commas: any that the board has' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l mine -d 'Tasks of the own profile'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l no-assignee -d 'Tasks without an assignee'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l archived -d 'Archived tasks too'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l assignee -d 'Tasks of this profile' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l status -d 'Tasks in this status' -r -f -a "triage\t''
todo\t''
scheduled\t''
ready\t''
running\t''
blocked\t''
review\t''
done\t''
archived\t''"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l tenant -d 'Tasks of this tenant' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l session -d 'Tasks made in this session' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l parent -d 'Tasks that wait for this one' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l since -d 'Tasks created at this time or later: a date, a time in RFC 3339, or how long ago, such as 2d' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l before -d 'Tasks created before this time' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l text -d 'Tasks with this text in the title or the body; `search` looks further' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l sort -d 'Order [default: priority]' -r -f -a "completed-desc\t''
created\t''
created-desc\t''
priority\t''
priority-desc\t''
status\t''
assignee\t''
title\t''
updated\t''"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l workflow-template-id -d 'Tasks of this workflow template' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l step-key -d 'Tasks at this workflow step' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l limit -d 'At most N tasks' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l columns -d 'Columns of a table and of plain records, apart by commas: any that the board has' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l mine -d 'Tasks of the own profile'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l no-assignee -d 'Tasks without an assignee'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l archived -d 'Archived tasks too'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand log" -l tail -d 'Only the last BYTES bytes' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand log" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand log" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand log" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand log" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand log" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand log" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand log" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand log" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand log" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand log" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand log" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand log" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand log" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand log" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand log" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand log" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ready" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ready" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ready" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ready" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ready" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ready" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ready" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ready" -l explain -d 'Say why, for waiting tasks too'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ready" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ready" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ready" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ready" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ready" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ready" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ready" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ready" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand ready" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand runs" -l state-type -d 'Only runs with this --state-name in this column' -r -f -a "status\t''
outcome\t''"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand runs" -l state-name -d 'See --state-type' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand runs" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand runs" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand runs" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand runs" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand runs" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand runs" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand runs" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand runs" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand runs" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand runs" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand runs" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand runs" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand runs" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand runs" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand runs" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand runs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand search" -l limit -d 'At most N tasks' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand search" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand search" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand search" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand search" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand search" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand search" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand search" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand search" -l archived -d 'Archived tasks too'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand search" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand search" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand search" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand search" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand search" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand search" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand search" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand search" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand search" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand show" -l state-type -d 'Only runs with this --state-name in this column' -r -f -a "status\t''
outcome\t''"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand show" -l state-name -d 'See --state-type' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand show" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand show" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand show" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand show" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand show" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand show" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand show" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand show" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand show" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand show" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand show" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand show" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand show" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand show" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand show" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stats" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stats" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stats" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stats" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stats" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stats" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stats" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stats" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stats" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stats" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stats" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stats" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stats" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stats" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stats" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -l processes -d 'Workers at the same time' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -l seconds -d 'How long they work' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -l dir -d 'The directory to try' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -l crash -d 'Kill workers at random moments and start new ones'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -l keep -d 'Leave the scratch board there, to look at'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand stress" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand tree" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand tree" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand tree" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand tree" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand tree" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand tree" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand tree" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand tree" -l parents -d 'The other way: what the task waits for'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand tree" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand tree" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand tree" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand tree" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand tree" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand tree" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand tree" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand tree" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand tree" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand completions" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand completions" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand completions" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand completions" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand completions" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand completions" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand completions" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand completions" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand completions" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand completions" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand completions" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand completions" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand completions" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand completions" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand completions" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand health" -l depth -d 'How deep to look' -r -f -a "quick\t'`quick_check` and everything else; cheap enough for cron'
full\t'`integrity_check` with no row limit'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand health" -l explain -d 'Say what a finding means instead of looking' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand health" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand health" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand health" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand health" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand health" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand health" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand health" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand health" -l map -d 'Draw what every page of the file is for'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand health" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand health" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand health" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand health" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand health" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand health" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand health" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand health" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand health" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand journal-mode" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand journal-mode" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand journal-mode" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand journal-mode" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand journal-mode" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand journal-mode" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand journal-mode" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand journal-mode" -l assume-unused -d 'Go on where it cannot be proven that nobody else has the board open; never beside a process that was found'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand journal-mode" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand journal-mode" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand journal-mode" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand journal-mode" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand journal-mode" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand journal-mode" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand journal-mode" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand journal-mode" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand journal-mode" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand man" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand man" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand man" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand man" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand man" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand man" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand man" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand man" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand man" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand man" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand man" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand man" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand man" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand man" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand man" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -l output -d 'Build this file, which must not exist, and leave the board alone' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -l from-pid -d 'A process that holds a deleted log of this board; those that are found without being named are read too' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -l include-older -d 'Bring back also rows that only an older copy or an unused part of a page has'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -l provenance -d 'Say of every row where it is from, in JSON: source, page, cell, confidence'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -l undo -d 'Put back what the last install replaced'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -l assume-unused -d 'Install where it cannot be proven that nobody else has the board open; never beside a process that was found'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand recover" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand repair" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand repair" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand repair" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand repair" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand repair" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand repair" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand repair" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand repair" -l assume-unused -d 'Go on where it cannot be proven that nobody else has the board open; never beside a process that was found'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand repair" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand repair" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand repair" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand repair" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand repair" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand repair" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand repair" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand repair" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand repair" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand restore" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand restore" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand restore" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand restore" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand restore" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand restore" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand restore" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand restore" -l assume-unused -d 'Go on where it cannot be proven that nobody else has the board open; never beside a process that was found'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand restore" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand restore" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand restore" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand restore" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand restore" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand restore" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand restore" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand restore" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand version" -l board -d 'Board by name' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand version" -l db -d 'Board file by path' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand version" -l format -d 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]' -r -f -a "table\t'For people: aligned columns, colour, cut to the terminal\'s width'
plain\t'For scripts: tab separated, one record a line, no decoration, stable'
json\t'One JSON envelope'
jsonl\t'One JSON envelope per record, each on its own line'
nagios\t'A Nagios plug-in line (`health` only)'
prom\t'Prometheus text exposition (`health` only)'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand version" -s o -d 'Write the data to this file, atomically' -r -F
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand version" -l color -d 'Colour' -r -f -a "auto\t'As the environment and the terminal say'
always\t'In colour, whatever the environment says'
never\t'Without colour'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand version" -l timeout -d 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]' -r
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand version" -l if-busy -d 'What to do when the lock is not had within the budget' -r -f -a "fail\t'Exit 11'
skip\t'Exit 0, for cron'"
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand version" -l all-boards -d 'Every board under the root (health, list, stats, checkpoint, backup, backups list)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand version" -l json -d 'Short for --format json'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand version" -s q -l quiet -d 'Say less on stderr: no status, hints or bars; twice: errors only'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand version" -s v -l verbose -d 'Say more on stderr (can be repeated; twice logs every SQL statement)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand version" -l ascii -d 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand version" -s y -l yes -d 'Answer every confirmation with yes'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand version" -l no-input -d 'Never ask'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand version" -s n -l dry-run -d 'Do everything but the write, and say what it would be'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand version" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "assignees" -d 'List the profiles that have tasks or are configured, with their tasks by status'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "attachments" -d 'List the attachments of one task, or of all'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "backup" -d 'Copy a board as of one moment, verified'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "backups" -d 'Look at the copies beside a board, and thin them out'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "board" -d 'Show the board: a column for each status that has tasks, archived ones left out'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "boards" -d 'Look at the boards under the root'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "checkpoint" -d 'Copy committed frames from the WAL into the board\'s file'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "complete" -d 'Complete tasks; prints their ids once they are committed'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "context" -d 'Show what a worker has to know about a task: its text, attachments, earlier attempts, results of its parents, what its profile did last, and its comments'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "create" -d 'Create tasks; prints their ids once they are committed'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "diagnostics" -d 'Show tasks that are stuck: failing, crashing, blocked without an answer, ready without a worker'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "events" -d 'List events in the order of their numbers'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "init" -d 'Create the board if it is missing'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "list" -d 'List tasks as they are stored; nothing is promoted by looking'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "log" -d 'Show the log of a task\'s worker'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "ready" -d 'List the ready tasks in the order in which the dispatcher takes them'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "runs" -d 'List the runs of a task, oldest first'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "search" -d 'Find text in titles, bodies, results, comments, summaries and errors, without regard to case; newest tasks first'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "show" -d 'Show one task with its links, comments, events and runs'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "stats" -d 'Count tasks by status and assignee; archived ones are left out'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "stress" -d 'Find out whether a directory is a place for boards: real processes on a scratch board there'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "tree" -d 'Show what waits for what, from the top, and name cycles'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "completions" -d 'Print a completion script for a shell'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "health" -d 'Check a board without changing it'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "journal-mode" -d 'Show or change how the board is journaled'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "man" -d 'Write the manual pages below a directory'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "recover" -d 'Bring back every row that is left'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "repair" -d 'Make indexes anew that their tables do not agree with'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "restore" -d 'Put one copy in the board\'s place, exactly'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "version" -d 'Print the version; with -v also SQLite\'s, and what it was built with'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and not __fish_seen_subcommand_from assignees attachments backup backups board boards checkpoint complete context create diagnostics events init list log ready runs search show stats stress tree completions health journal-mode man recover repair restore version help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and __fish_seen_subcommand_from backups" -f -a "list" -d 'List the copies, each content once'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and __fish_seen_subcommand_from backups" -f -a "show" -d 'Show where one content lies and what it is'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and __fish_seen_subcommand_from backups" -f -a "diff" -d 'Say task by task what a copy holds against the live board'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and __fish_seen_subcommand_from backups" -f -a "prune" -d 'Remove copies without losing a row'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and __fish_seen_subcommand_from boards" -f -a "list" -d 'List the boards with their counts, the default one first'
complete -c kanbanctl -n "__fish_kanbanctl_using_subcommand help; and __fish_seen_subcommand_from boards" -f -a "show" -d 'Show one board\'s path, the rule that chose it, and what is there'
