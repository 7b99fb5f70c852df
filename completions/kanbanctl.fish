complete --keep-order --exclusive --command kanbanctl --arguments "(KANBANCTL_COMPLETE=fish kanbanctl -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
