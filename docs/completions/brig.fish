# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_brig_global_optspecs
    string join \n q/quiet v/verbose h/help V/version
end

function __fish_brig_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_brig_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_brig_using_subcommand
    set -l cmd (__fish_brig_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c brig -n "__fish_brig_needs_command" -s q -l quiet -d 'Say only what went wrong'
complete -c brig -n "__fish_brig_needs_command" -s v -l verbose -d 'Say more'
complete -c brig -n "__fish_brig_needs_command" -s h -l help -d 'Print help'
complete -c brig -n "__fish_brig_needs_command" -s V -l version -d 'Print version'
complete -c brig -n "__fish_brig_needs_command" -f -a "run" -d 'Run an image\'s or this machine\'s MCP server in a box (`brig run --help` lists the flags)'
complete -c brig -n "__fish_brig_needs_command" -f -a "pull" -d 'Fetch an image, or a package after `--`, anew'
complete -c brig -n "__fish_brig_needs_command" -f -a "image" -d 'List and remove images'
complete -c brig -n "__fish_brig_needs_command" -f -a "volume" -d 'List and remove named volumes'
complete -c brig -n "__fish_brig_needs_command" -f -a "prune" -d 'Remove what nothing needs: unnamed images, interrupted pulls, what killed runs left behind'
complete -c brig -n "__fish_brig_needs_command" -f -a "demo" -d 'Box a simulated server, attack it, and show what it reached'
complete -c brig -n "__fish_brig_needs_command" -f -a "doctor" -d 'Show what this machine can enforce, wall by wall'
complete -c brig -n "__fish_brig_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c brig -n "__fish_brig_using_subcommand run" -s q -l quiet -d 'Say only what went wrong'
complete -c brig -n "__fish_brig_using_subcommand run" -s v -l verbose -d 'Say more'
complete -c brig -n "__fish_brig_using_subcommand pull" -l platform -d 'Image for this platform, such as linux/arm64' -r
complete -c brig -n "__fish_brig_using_subcommand pull" -l allow-install-scripts -d 'Let packages run scripts while they are installed, inside their box'
complete -c brig -n "__fish_brig_using_subcommand pull" -s q -l quiet -d 'Say only what went wrong'
complete -c brig -n "__fish_brig_using_subcommand pull" -s v -l verbose -d 'Say more'
complete -c brig -n "__fish_brig_using_subcommand pull" -s h -l help -d 'Print help'
complete -c brig -n "__fish_brig_using_subcommand image; and not __fish_seen_subcommand_from ls rm help" -s q -l quiet -d 'Say only what went wrong'
complete -c brig -n "__fish_brig_using_subcommand image; and not __fish_seen_subcommand_from ls rm help" -s v -l verbose -d 'Say more'
complete -c brig -n "__fish_brig_using_subcommand image; and not __fish_seen_subcommand_from ls rm help" -s h -l help -d 'Print help'
complete -c brig -n "__fish_brig_using_subcommand image; and not __fish_seen_subcommand_from ls rm help" -f -a "ls" -d 'List images, the most recently used first'
complete -c brig -n "__fish_brig_using_subcommand image; and not __fish_seen_subcommand_from ls rm help" -f -a "rm" -d 'Remove images by name or identifier'
complete -c brig -n "__fish_brig_using_subcommand image; and not __fish_seen_subcommand_from ls rm help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c brig -n "__fish_brig_using_subcommand image; and __fish_seen_subcommand_from ls" -l json -d 'Print JSON'
complete -c brig -n "__fish_brig_using_subcommand image; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Say only what went wrong'
complete -c brig -n "__fish_brig_using_subcommand image; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say more'
complete -c brig -n "__fish_brig_using_subcommand image; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c brig -n "__fish_brig_using_subcommand image; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Say only what went wrong'
complete -c brig -n "__fish_brig_using_subcommand image; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Say more'
complete -c brig -n "__fish_brig_using_subcommand image; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c brig -n "__fish_brig_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "ls" -d 'List images, the most recently used first'
complete -c brig -n "__fish_brig_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "rm" -d 'Remove images by name or identifier'
complete -c brig -n "__fish_brig_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c brig -n "__fish_brig_using_subcommand volume; and not __fish_seen_subcommand_from ls rm help" -s q -l quiet -d 'Say only what went wrong'
complete -c brig -n "__fish_brig_using_subcommand volume; and not __fish_seen_subcommand_from ls rm help" -s v -l verbose -d 'Say more'
complete -c brig -n "__fish_brig_using_subcommand volume; and not __fish_seen_subcommand_from ls rm help" -s h -l help -d 'Print help'
complete -c brig -n "__fish_brig_using_subcommand volume; and not __fish_seen_subcommand_from ls rm help" -f -a "ls" -d 'List volumes'
complete -c brig -n "__fish_brig_using_subcommand volume; and not __fish_seen_subcommand_from ls rm help" -f -a "rm" -d 'Remove volumes with all that is in them'
complete -c brig -n "__fish_brig_using_subcommand volume; and not __fish_seen_subcommand_from ls rm help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c brig -n "__fish_brig_using_subcommand volume; and __fish_seen_subcommand_from ls" -l json -d 'Print JSON'
complete -c brig -n "__fish_brig_using_subcommand volume; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Say only what went wrong'
complete -c brig -n "__fish_brig_using_subcommand volume; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say more'
complete -c brig -n "__fish_brig_using_subcommand volume; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c brig -n "__fish_brig_using_subcommand volume; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Say only what went wrong'
complete -c brig -n "__fish_brig_using_subcommand volume; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Say more'
complete -c brig -n "__fish_brig_using_subcommand volume; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c brig -n "__fish_brig_using_subcommand volume; and __fish_seen_subcommand_from help" -f -a "ls" -d 'List volumes'
complete -c brig -n "__fish_brig_using_subcommand volume; and __fish_seen_subcommand_from help" -f -a "rm" -d 'Remove volumes with all that is in them'
complete -c brig -n "__fish_brig_using_subcommand volume; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c brig -n "__fish_brig_using_subcommand prune" -s a -l all -d 'Remove every image that no box uses'
complete -c brig -n "__fish_brig_using_subcommand prune" -s q -l quiet -d 'Say only what went wrong'
complete -c brig -n "__fish_brig_using_subcommand prune" -s v -l verbose -d 'Say more'
complete -c brig -n "__fish_brig_using_subcommand prune" -s h -l help -d 'Print help'
complete -c brig -n "__fish_brig_using_subcommand demo" -l json -d 'Print JSON'
complete -c brig -n "__fish_brig_using_subcommand demo" -s q -l quiet -d 'Say only what went wrong'
complete -c brig -n "__fish_brig_using_subcommand demo" -s v -l verbose -d 'Say more'
complete -c brig -n "__fish_brig_using_subcommand demo" -s h -l help -d 'Print help'
complete -c brig -n "__fish_brig_using_subcommand doctor" -l json -d 'Print JSON'
complete -c brig -n "__fish_brig_using_subcommand doctor" -l system-calls -d 'Print the system calls that a box may make, with the reason of each'
complete -c brig -n "__fish_brig_using_subcommand doctor" -l apparmor-profile -d 'Print an AppArmor profile that lets brig make boxes where AppArmor restricts that'
complete -c brig -n "__fish_brig_using_subcommand doctor" -s q -l quiet -d 'Say only what went wrong'
complete -c brig -n "__fish_brig_using_subcommand doctor" -s v -l verbose -d 'Say more'
complete -c brig -n "__fish_brig_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c brig -n "__fish_brig_using_subcommand help; and not __fish_seen_subcommand_from run pull image volume prune demo doctor help" -f -a "run" -d 'Run an image\'s or this machine\'s MCP server in a box (`brig run --help` lists the flags)'
complete -c brig -n "__fish_brig_using_subcommand help; and not __fish_seen_subcommand_from run pull image volume prune demo doctor help" -f -a "pull" -d 'Fetch an image, or a package after `--`, anew'
complete -c brig -n "__fish_brig_using_subcommand help; and not __fish_seen_subcommand_from run pull image volume prune demo doctor help" -f -a "image" -d 'List and remove images'
complete -c brig -n "__fish_brig_using_subcommand help; and not __fish_seen_subcommand_from run pull image volume prune demo doctor help" -f -a "volume" -d 'List and remove named volumes'
complete -c brig -n "__fish_brig_using_subcommand help; and not __fish_seen_subcommand_from run pull image volume prune demo doctor help" -f -a "prune" -d 'Remove what nothing needs: unnamed images, interrupted pulls, what killed runs left behind'
complete -c brig -n "__fish_brig_using_subcommand help; and not __fish_seen_subcommand_from run pull image volume prune demo doctor help" -f -a "demo" -d 'Box a simulated server, attack it, and show what it reached'
complete -c brig -n "__fish_brig_using_subcommand help; and not __fish_seen_subcommand_from run pull image volume prune demo doctor help" -f -a "doctor" -d 'Show what this machine can enforce, wall by wall'
complete -c brig -n "__fish_brig_using_subcommand help; and not __fish_seen_subcommand_from run pull image volume prune demo doctor help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c brig -n "__fish_brig_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "ls" -d 'List images, the most recently used first'
complete -c brig -n "__fish_brig_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "rm" -d 'Remove images by name or identifier'
complete -c brig -n "__fish_brig_using_subcommand help; and __fish_seen_subcommand_from volume" -f -a "ls" -d 'List volumes'
complete -c brig -n "__fish_brig_using_subcommand help; and __fish_seen_subcommand_from volume" -f -a "rm" -d 'Remove volumes with all that is in them'
