
set edit:completion:arg-completer[kanbanctl] = { |@words|
    var index = (count $words)
    set index = (- $index 1)

    put (env _CLAP_IFS="\n" _CLAP_COMPLETE_INDEX=(to-string $index) KANBANCTL_COMPLETE="elvish" kanbanctl -- $@words) | to-lines
}

