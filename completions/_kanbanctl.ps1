
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'kanbanctl' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'kanbanctl'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'kanbanctl' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('assignees', 'assignees', [CompletionResultType]::ParameterValue, 'List the profiles that have tasks or are configured, with their tasks by status')
            [CompletionResult]::new('attachments', 'attachments', [CompletionResultType]::ParameterValue, 'List the attachments of one task, or of all')
            [CompletionResult]::new('backup', 'backup', [CompletionResultType]::ParameterValue, 'Copy a board as of one moment, verified')
            [CompletionResult]::new('backups', 'backups', [CompletionResultType]::ParameterValue, 'Look at the copies beside a board, and thin them out')
            [CompletionResult]::new('board', 'board', [CompletionResultType]::ParameterValue, 'Show the board: a column for each status that has tasks, archived ones left out')
            [CompletionResult]::new('boards', 'boards', [CompletionResultType]::ParameterValue, 'Look at the boards under the root')
            [CompletionResult]::new('checkpoint', 'checkpoint', [CompletionResultType]::ParameterValue, 'Copy committed frames from the WAL into the board''s file')
            [CompletionResult]::new('complete', 'complete', [CompletionResultType]::ParameterValue, 'Complete tasks; prints their ids once they are committed')
            [CompletionResult]::new('context', 'context', [CompletionResultType]::ParameterValue, 'Show what a worker has to know about a task: its text, attachments, earlier attempts, results of its parents, what its profile did last, and its comments')
            [CompletionResult]::new('create', 'create', [CompletionResultType]::ParameterValue, 'Create tasks; prints their ids once they are committed')
            [CompletionResult]::new('diagnostics', 'diagnostics', [CompletionResultType]::ParameterValue, 'Show tasks that are stuck: failing, crashing, blocked without an answer, ready without a worker')
            [CompletionResult]::new('diag', 'diag', [CompletionResultType]::ParameterValue, 'Show tasks that are stuck: failing, crashing, blocked without an answer, ready without a worker')
            [CompletionResult]::new('events', 'events', [CompletionResultType]::ParameterValue, 'List events in the order of their numbers')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Create the board if it is missing')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List tasks as they are stored; nothing is promoted by looking')
            [CompletionResult]::new('ls', 'ls', [CompletionResultType]::ParameterValue, 'List tasks as they are stored; nothing is promoted by looking')
            [CompletionResult]::new('log', 'log', [CompletionResultType]::ParameterValue, 'Show the log of a task''s worker')
            [CompletionResult]::new('ready', 'ready', [CompletionResultType]::ParameterValue, 'List the ready tasks in the order in which the dispatcher takes them')
            [CompletionResult]::new('runs', 'runs', [CompletionResultType]::ParameterValue, 'List the runs of a task, oldest first')
            [CompletionResult]::new('search', 'search', [CompletionResultType]::ParameterValue, 'Find text in titles, bodies, results, comments, summaries and errors, without regard to case; newest tasks first')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one task with its links, comments, events and runs')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Count tasks by status and assignee; archived ones are left out')
            [CompletionResult]::new('stress', 'stress', [CompletionResultType]::ParameterValue, 'Find out whether a directory is a place for boards: real processes on a scratch board there')
            [CompletionResult]::new('tree', 'tree', [CompletionResultType]::ParameterValue, 'Show what waits for what, from the top, and name cycles')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('health', 'health', [CompletionResultType]::ParameterValue, 'Check a board without changing it')
            [CompletionResult]::new('journal-mode', 'journal-mode', [CompletionResultType]::ParameterValue, 'Show or change how the board is journaled')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Write the manual pages below a directory')
            [CompletionResult]::new('recover', 'recover', [CompletionResultType]::ParameterValue, 'Bring back every row that is left')
            [CompletionResult]::new('repair', 'repair', [CompletionResultType]::ParameterValue, 'Make indexes anew that their tables do not agree with')
            [CompletionResult]::new('restore', 'restore', [CompletionResultType]::ParameterValue, 'Put one copy in the board''s place, exactly')
            [CompletionResult]::new('version', 'version', [CompletionResultType]::ParameterValue, 'Print the version; with -v also SQLite''s, and what it was built with')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'kanbanctl;assignees' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;attachments' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;backup' {
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'Keep this many of this board''s backups in DIR, the newest, and remove the others')
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;backups' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the copies, each content once')
            [CompletionResult]::new('ls', 'ls', [CompletionResultType]::ParameterValue, 'List the copies, each content once')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show where one content lies and what it is')
            [CompletionResult]::new('diff', 'diff', [CompletionResultType]::ParameterValue, 'Say task by task what a copy holds against the live board')
            [CompletionResult]::new('prune', 'prune', [CompletionResultType]::ParameterValue, 'Remove copies without losing a row')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'kanbanctl;backups;list' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;backups;ls' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;backups;show' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;backups;diff' {
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'Name at most this many tasks [default: 100 in a table, all in the other formats]')
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;backups;prune' {
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'Keep this many of the newest contents, of Hermes'' copies and of our backups')
            [CompletionResult]::new('--older-than', '--older-than', [CompletionResultType]::ParameterName, 'Remove only what was last written longer ago than this, such as 12h or 30d')
            [CompletionResult]::new('--max-bytes', '--max-bytes', [CompletionResultType]::ParameterName, 'Remove no more once all copies take this many bytes or fewer, such as 500M')
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--force-lossy', '--force-lossy', [CompletionResultType]::ParameterName, 'Remove copies although they hold row versions that are nowhere else')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;backups;help' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the copies, each content once')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show where one content lies and what it is')
            [CompletionResult]::new('diff', 'diff', [CompletionResultType]::ParameterValue, 'Say task by task what a copy holds against the live board')
            [CompletionResult]::new('prune', 'prune', [CompletionResultType]::ParameterValue, 'Remove copies without losing a row')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'kanbanctl;backups;help;list' {
            break
        }
        'kanbanctl;backups;help;show' {
            break
        }
        'kanbanctl;backups;help;diff' {
            break
        }
        'kanbanctl;backups;help;prune' {
            break
        }
        'kanbanctl;backups;help;help' {
            break
        }
        'kanbanctl;board' {
            [CompletionResult]::new('--assignee', '--assignee', [CompletionResultType]::ParameterName, 'Only tasks of this profile')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most N tasks in a column')
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;boards' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the boards with their counts, the default one first')
            [CompletionResult]::new('ls', 'ls', [CompletionResultType]::ParameterValue, 'List the boards with their counts, the default one first')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one board''s path, the rule that chose it, and what is there')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'kanbanctl;boards;list' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Also the boards that their board.json hides')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;boards;ls' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Also the boards that their board.json hides')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;boards;show' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;boards;help' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the boards with their counts, the default one first')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one board''s path, the rule that chose it, and what is there')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'kanbanctl;boards;help;list' {
            break
        }
        'kanbanctl;boards;help;show' {
            break
        }
        'kanbanctl;boards;help;help' {
            break
        }
        'kanbanctl;checkpoint' {
            [CompletionResult]::new('--mode', '--mode', [CompletionResultType]::ParameterName, 'How hard to try: passive copies what it can; full waits for writers and readers; restart also makes the next writer begin at the front; truncate cuts the file to nothing and is refused while anybody has the board open, or when it is damaged')
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--assume-unused', '--assume-unused', [CompletionResultType]::ParameterName, 'With --mode truncate: go on where it cannot be proven that nobody else has the board open; never beside a process that was found')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;complete' {
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Read ids or JSON lines from this file, `-` for stdin')
            [CompletionResult]::new('--result', '--result', [CompletionResultType]::ParameterName, 'Result of the task')
            [CompletionResult]::new('--summary', '--summary', [CompletionResultType]::ParameterName, 'Summary to hand over; for one task only')
            [CompletionResult]::new('--metadata', '--metadata', [CompletionResultType]::ParameterName, 'JSON object to hand over; for one task only')
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;context' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;create' {
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Read tasks from JSON lines in this file, `-` for stdin')
            [CompletionResult]::new('--body', '--body', [CompletionResultType]::ParameterName, 'Longer description')
            [CompletionResult]::new('--assignee', '--assignee', [CompletionResultType]::ParameterName, 'Profile that is to do it')
            [CompletionResult]::new('--parent', '--parent', [CompletionResultType]::ParameterName, 'Task that must be done first; can be repeated')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'scratch, worktree, worktree:PATH or dir:PATH')
            [CompletionResult]::new('--branch', '--branch', [CompletionResultType]::ParameterName, 'Branch of a worktree')
            [CompletionResult]::new('--tenant', '--tenant', [CompletionResultType]::ParameterName, 'Tenant')
            [CompletionResult]::new('--priority', '--priority', [CompletionResultType]::ParameterName, 'Higher goes first')
            [CompletionResult]::new('--idempotency-key', '--idempotency-key', [CompletionResultType]::ParameterName, 'A second create with the same key gives back the first task')
            [CompletionResult]::new('--max-runtime', '--max-runtime', [CompletionResultType]::ParameterName, 'Time a worker may take: seconds, or 30s, 5m, 2h, 1d')
            [CompletionResult]::new('--created-by', '--created-by', [CompletionResultType]::ParameterName, 'Who made it')
            [CompletionResult]::new('--skill', '--skill', [CompletionResultType]::ParameterName, 'Skill for the worker; can be repeated')
            [CompletionResult]::new('--max-retries', '--max-retries', [CompletionResultType]::ParameterName, 'Failures before it is blocked')
            [CompletionResult]::new('--goal-max-turns', '--goal-max-turns', [CompletionResultType]::ParameterName, 'Turns of that loop')
            [CompletionResult]::new('--initial-status', '--initial-status', [CompletionResultType]::ParameterName, 'Status to begin with; running means the usual one')
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--triage', '--triage', [CompletionResultType]::ParameterName, 'Park it in triage')
            [CompletionResult]::new('--goal', '--goal', [CompletionResultType]::ParameterName, 'Let the worker run in a goal loop')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;diagnostics' {
            [CompletionResult]::new('--severity', '--severity', [CompletionResultType]::ParameterName, 'Only findings of this severity and above')
            [CompletionResult]::new('--task', '--task', [CompletionResultType]::ParameterName, 'Only this task: its id, or a unique beginning of one')
            [CompletionResult]::new('--failure-limit', '--failure-limit', [CompletionResultType]::ParameterName, 'Failures from which on a task counts as failing: `kanban.failure_limit` of Hermes'' configuration')
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;diag' {
            [CompletionResult]::new('--severity', '--severity', [CompletionResultType]::ParameterName, 'Only findings of this severity and above')
            [CompletionResult]::new('--task', '--task', [CompletionResultType]::ParameterName, 'Only this task: its id, or a unique beginning of one')
            [CompletionResult]::new('--failure-limit', '--failure-limit', [CompletionResultType]::ParameterName, 'Failures from which on a task counts as failing: `kanban.failure_limit` of Hermes'' configuration')
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;events' {
            [CompletionResult]::new('--kinds', '--kinds', [CompletionResultType]::ParameterName, 'Only of these kinds, apart by commas')
            [CompletionResult]::new('--assignee', '--assignee', [CompletionResultType]::ParameterName, 'Only of tasks of this profile; several are a union')
            [CompletionResult]::new('--tenant', '--tenant', [CompletionResultType]::ParameterName, 'Only of tasks of this tenant')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only with a number above this')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'Only the newest N')
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;init' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;list' {
            [CompletionResult]::new('--assignee', '--assignee', [CompletionResultType]::ParameterName, 'Tasks of this profile')
            [CompletionResult]::new('--status', '--status', [CompletionResultType]::ParameterName, 'Tasks in this status')
            [CompletionResult]::new('--tenant', '--tenant', [CompletionResultType]::ParameterName, 'Tasks of this tenant')
            [CompletionResult]::new('--session', '--session', [CompletionResultType]::ParameterName, 'Tasks made in this session')
            [CompletionResult]::new('--parent', '--parent', [CompletionResultType]::ParameterName, 'Tasks that wait for this one')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Tasks created at this time or later: a date, a time in RFC 3339, or how long ago, such as 2d')
            [CompletionResult]::new('--before', '--before', [CompletionResultType]::ParameterName, 'Tasks created before this time')
            [CompletionResult]::new('--text', '--text', [CompletionResultType]::ParameterName, 'Tasks with this text in the title or the body; `search` looks further')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Order [default: priority]')
            [CompletionResult]::new('--workflow-template-id', '--workflow-template-id', [CompletionResultType]::ParameterName, 'Tasks of this workflow template')
            [CompletionResult]::new('--step-key', '--step-key', [CompletionResultType]::ParameterName, 'Tasks at this workflow step')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most N tasks')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns of a table and of plain records, apart by commas: any that the board has')
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--mine', '--mine', [CompletionResultType]::ParameterName, 'Tasks of the own profile')
            [CompletionResult]::new('--no-assignee', '--no-assignee', [CompletionResultType]::ParameterName, 'Tasks without an assignee')
            [CompletionResult]::new('--archived', '--archived', [CompletionResultType]::ParameterName, 'Archived tasks too')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;ls' {
            [CompletionResult]::new('--assignee', '--assignee', [CompletionResultType]::ParameterName, 'Tasks of this profile')
            [CompletionResult]::new('--status', '--status', [CompletionResultType]::ParameterName, 'Tasks in this status')
            [CompletionResult]::new('--tenant', '--tenant', [CompletionResultType]::ParameterName, 'Tasks of this tenant')
            [CompletionResult]::new('--session', '--session', [CompletionResultType]::ParameterName, 'Tasks made in this session')
            [CompletionResult]::new('--parent', '--parent', [CompletionResultType]::ParameterName, 'Tasks that wait for this one')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Tasks created at this time or later: a date, a time in RFC 3339, or how long ago, such as 2d')
            [CompletionResult]::new('--before', '--before', [CompletionResultType]::ParameterName, 'Tasks created before this time')
            [CompletionResult]::new('--text', '--text', [CompletionResultType]::ParameterName, 'Tasks with this text in the title or the body; `search` looks further')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Order [default: priority]')
            [CompletionResult]::new('--workflow-template-id', '--workflow-template-id', [CompletionResultType]::ParameterName, 'Tasks of this workflow template')
            [CompletionResult]::new('--step-key', '--step-key', [CompletionResultType]::ParameterName, 'Tasks at this workflow step')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most N tasks')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns of a table and of plain records, apart by commas: any that the board has')
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--mine', '--mine', [CompletionResultType]::ParameterName, 'Tasks of the own profile')
            [CompletionResult]::new('--no-assignee', '--no-assignee', [CompletionResultType]::ParameterName, 'Tasks without an assignee')
            [CompletionResult]::new('--archived', '--archived', [CompletionResultType]::ParameterName, 'Archived tasks too')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;log' {
            [CompletionResult]::new('--tail', '--tail', [CompletionResultType]::ParameterName, 'Only the last BYTES bytes')
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;ready' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--explain', '--explain', [CompletionResultType]::ParameterName, 'Say why, for waiting tasks too')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;runs' {
            [CompletionResult]::new('--state-type', '--state-type', [CompletionResultType]::ParameterName, 'Only runs with this --state-name in this column')
            [CompletionResult]::new('--state-name', '--state-name', [CompletionResultType]::ParameterName, 'See --state-type')
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;search' {
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most N tasks')
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--archived', '--archived', [CompletionResultType]::ParameterName, 'Archived tasks too')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;show' {
            [CompletionResult]::new('--state-type', '--state-type', [CompletionResultType]::ParameterName, 'Only runs with this --state-name in this column')
            [CompletionResult]::new('--state-name', '--state-name', [CompletionResultType]::ParameterName, 'See --state-type')
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;stats' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;stress' {
            [CompletionResult]::new('--processes', '--processes', [CompletionResultType]::ParameterName, 'Workers at the same time')
            [CompletionResult]::new('--seconds', '--seconds', [CompletionResultType]::ParameterName, 'How long they work')
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'The directory to try')
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--crash', '--crash', [CompletionResultType]::ParameterName, 'Kill workers at random moments and start new ones')
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'Leave the scratch board there, to look at')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;tree' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--parents', '--parents', [CompletionResultType]::ParameterName, 'The other way: what the task waits for')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;completions' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;health' {
            [CompletionResult]::new('--depth', '--depth', [CompletionResultType]::ParameterName, 'How deep to look')
            [CompletionResult]::new('--explain', '--explain', [CompletionResultType]::ParameterName, 'Say what a finding means instead of looking')
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--map', '--map', [CompletionResultType]::ParameterName, 'Draw what every page of the file is for')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;journal-mode' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--assume-unused', '--assume-unused', [CompletionResultType]::ParameterName, 'Go on where it cannot be proven that nobody else has the board open; never beside a process that was found')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;man' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;recover' {
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Build this file, which must not exist, and leave the board alone')
            [CompletionResult]::new('--from-pid', '--from-pid', [CompletionResultType]::ParameterName, 'A process that holds a deleted log of this board; those that are found without being named are read too')
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--include-older', '--include-older', [CompletionResultType]::ParameterName, 'Bring back also rows that only an older copy or an unused part of a page has')
            [CompletionResult]::new('--provenance', '--provenance', [CompletionResultType]::ParameterName, 'Say of every row where it is from, in JSON: source, page, cell, confidence')
            [CompletionResult]::new('--undo', '--undo', [CompletionResultType]::ParameterName, 'Put back what the last install replaced')
            [CompletionResult]::new('--assume-unused', '--assume-unused', [CompletionResultType]::ParameterName, 'Install where it cannot be proven that nobody else has the board open; never beside a process that was found')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;repair' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--assume-unused', '--assume-unused', [CompletionResultType]::ParameterName, 'Go on where it cannot be proven that nobody else has the board open; never beside a process that was found')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;restore' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--assume-unused', '--assume-unused', [CompletionResultType]::ParameterName, 'Go on where it cannot be proven that nobody else has the board open; never beside a process that was found')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;version' {
            [CompletionResult]::new('--board', '--board', [CompletionResultType]::ParameterName, 'Board by name')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Board file by path')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the data to this file, atomically')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s]')
            [CompletionResult]::new('--if-busy', '--if-busy', [CompletionResultType]::ParameterName, 'What to do when the lock is not had within the budget')
            [CompletionResult]::new('--all-boards', '--all-boards', [CompletionResultType]::ParameterName, 'Every board under the root (health, list, stats, checkpoint, backup, backups list)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less on stderr: no status, hints or bars; twice: errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr (can be repeated; twice logs every SQL statement)')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer every confirmation with yes')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Do everything but the write, and say what it would be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kanbanctl;help' {
            [CompletionResult]::new('assignees', 'assignees', [CompletionResultType]::ParameterValue, 'List the profiles that have tasks or are configured, with their tasks by status')
            [CompletionResult]::new('attachments', 'attachments', [CompletionResultType]::ParameterValue, 'List the attachments of one task, or of all')
            [CompletionResult]::new('backup', 'backup', [CompletionResultType]::ParameterValue, 'Copy a board as of one moment, verified')
            [CompletionResult]::new('backups', 'backups', [CompletionResultType]::ParameterValue, 'Look at the copies beside a board, and thin them out')
            [CompletionResult]::new('board', 'board', [CompletionResultType]::ParameterValue, 'Show the board: a column for each status that has tasks, archived ones left out')
            [CompletionResult]::new('boards', 'boards', [CompletionResultType]::ParameterValue, 'Look at the boards under the root')
            [CompletionResult]::new('checkpoint', 'checkpoint', [CompletionResultType]::ParameterValue, 'Copy committed frames from the WAL into the board''s file')
            [CompletionResult]::new('complete', 'complete', [CompletionResultType]::ParameterValue, 'Complete tasks; prints their ids once they are committed')
            [CompletionResult]::new('context', 'context', [CompletionResultType]::ParameterValue, 'Show what a worker has to know about a task: its text, attachments, earlier attempts, results of its parents, what its profile did last, and its comments')
            [CompletionResult]::new('create', 'create', [CompletionResultType]::ParameterValue, 'Create tasks; prints their ids once they are committed')
            [CompletionResult]::new('diagnostics', 'diagnostics', [CompletionResultType]::ParameterValue, 'Show tasks that are stuck: failing, crashing, blocked without an answer, ready without a worker')
            [CompletionResult]::new('events', 'events', [CompletionResultType]::ParameterValue, 'List events in the order of their numbers')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Create the board if it is missing')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List tasks as they are stored; nothing is promoted by looking')
            [CompletionResult]::new('log', 'log', [CompletionResultType]::ParameterValue, 'Show the log of a task''s worker')
            [CompletionResult]::new('ready', 'ready', [CompletionResultType]::ParameterValue, 'List the ready tasks in the order in which the dispatcher takes them')
            [CompletionResult]::new('runs', 'runs', [CompletionResultType]::ParameterValue, 'List the runs of a task, oldest first')
            [CompletionResult]::new('search', 'search', [CompletionResultType]::ParameterValue, 'Find text in titles, bodies, results, comments, summaries and errors, without regard to case; newest tasks first')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one task with its links, comments, events and runs')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Count tasks by status and assignee; archived ones are left out')
            [CompletionResult]::new('stress', 'stress', [CompletionResultType]::ParameterValue, 'Find out whether a directory is a place for boards: real processes on a scratch board there')
            [CompletionResult]::new('tree', 'tree', [CompletionResultType]::ParameterValue, 'Show what waits for what, from the top, and name cycles')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('health', 'health', [CompletionResultType]::ParameterValue, 'Check a board without changing it')
            [CompletionResult]::new('journal-mode', 'journal-mode', [CompletionResultType]::ParameterValue, 'Show or change how the board is journaled')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Write the manual pages below a directory')
            [CompletionResult]::new('recover', 'recover', [CompletionResultType]::ParameterValue, 'Bring back every row that is left')
            [CompletionResult]::new('repair', 'repair', [CompletionResultType]::ParameterValue, 'Make indexes anew that their tables do not agree with')
            [CompletionResult]::new('restore', 'restore', [CompletionResultType]::ParameterValue, 'Put one copy in the board''s place, exactly')
            [CompletionResult]::new('version', 'version', [CompletionResultType]::ParameterValue, 'Print the version; with -v also SQLite''s, and what it was built with')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'kanbanctl;help;assignees' {
            break
        }
        'kanbanctl;help;attachments' {
            break
        }
        'kanbanctl;help;backup' {
            break
        }
        'kanbanctl;help;backups' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the copies, each content once')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show where one content lies and what it is')
            [CompletionResult]::new('diff', 'diff', [CompletionResultType]::ParameterValue, 'Say task by task what a copy holds against the live board')
            [CompletionResult]::new('prune', 'prune', [CompletionResultType]::ParameterValue, 'Remove copies without losing a row')
            break
        }
        'kanbanctl;help;backups;list' {
            break
        }
        'kanbanctl;help;backups;show' {
            break
        }
        'kanbanctl;help;backups;diff' {
            break
        }
        'kanbanctl;help;backups;prune' {
            break
        }
        'kanbanctl;help;board' {
            break
        }
        'kanbanctl;help;boards' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the boards with their counts, the default one first')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one board''s path, the rule that chose it, and what is there')
            break
        }
        'kanbanctl;help;boards;list' {
            break
        }
        'kanbanctl;help;boards;show' {
            break
        }
        'kanbanctl;help;checkpoint' {
            break
        }
        'kanbanctl;help;complete' {
            break
        }
        'kanbanctl;help;context' {
            break
        }
        'kanbanctl;help;create' {
            break
        }
        'kanbanctl;help;diagnostics' {
            break
        }
        'kanbanctl;help;events' {
            break
        }
        'kanbanctl;help;init' {
            break
        }
        'kanbanctl;help;list' {
            break
        }
        'kanbanctl;help;log' {
            break
        }
        'kanbanctl;help;ready' {
            break
        }
        'kanbanctl;help;runs' {
            break
        }
        'kanbanctl;help;search' {
            break
        }
        'kanbanctl;help;show' {
            break
        }
        'kanbanctl;help;stats' {
            break
        }
        'kanbanctl;help;stress' {
            break
        }
        'kanbanctl;help;tree' {
            break
        }
        'kanbanctl;help;completions' {
            break
        }
        'kanbanctl;help;health' {
            break
        }
        'kanbanctl;help;journal-mode' {
            break
        }
        'kanbanctl;help;man' {
            break
        }
        'kanbanctl;help;recover' {
            break
        }
        'kanbanctl;help;repair' {
            break
        }
        'kanbanctl;help;restore' {
            break
        }
        'kanbanctl;help;version' {
            break
        }
        'kanbanctl;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
