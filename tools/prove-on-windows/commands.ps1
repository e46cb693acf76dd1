# Commands that change services, and services of others. Read by prove-on-windows.ps1.

# Makes a service that is none of ours, runs a body with its name, and removes it whatever happens.
function Use-Foreign([string] $Suffix, [string[]] $Options, [scriptblock] $Body) {
    $foreign = "$Prefix-$Suffix"
    $said = Invoke-Sc (@('create', $foreign) + $Options)
    Assert-That ($LASTEXITCODE -eq 0) $said
    try { & $Body $foreign }
    finally {
        Invoke-Mainstay @('service', 'remove', $foreign, '--purge') | Out-Null
        Invoke-Sc @('stop', $foreign) | Out-Null
        Invoke-Sc @('delete', $foreign) | Out-Null
        # Whoever is given back leaves configuration and logs.
        $folder = Get-ServiceFolder $foreign
        Remove-Item -LiteralPath $folder -Recurse -Force -ErrorAction SilentlyContinue
    }
}

# Returns whether a service has what is added when it is taken over.
function Test-HasAdded([string] $Name) {
    $restarts = (Invoke-Sc @('qfailure', $Name)) -match '(?i)RESTART'
    $right = @(Get-Rights $Name (Get-Identity $Name)) -contains 'RP'
    New-Object psobject -Property @{ All = ($restarts -and $right); Any = ($restarts -or $right) }
}

function Test-Commands {
    Check 'import-adds-and-gives-back' {
        $options = @('binPath=', $PoliteExe, 'obj=', 'NT AUTHORITY\LocalService', 'start=', 'demand')
        Use-Foreign 'taken' $options {
            param([string] $name)
            Assert-That (-not (Test-HasAdded $name).Any) 'it has what is to be added already'
            $said = Invoke-Mainstay @('import', 'sc', $name, '--replace', '--yes')
            Assert-That ($LASTEXITCODE -eq 0) $said
            Assert-That (Test-HasAdded $name).All (Invoke-Sc @('sdshow', $name))
            $type = Invoke-Sc @('qsidtype', $name)
            Assert-That ($type -match 'UNRESTRICTED') $type
            Invoke-Mainstay @('service', 'start', $name) | Out-Null
            Wait-ForLine $name 'ready'
            # It is no service by itself: nobody is to start it afterwards.
            Stop-Proof $name | Out-Null
            $said = Invoke-Mainstay @('import', 'sc', $name, '--undo')
            Assert-That ($LASTEXITCODE -eq 0) $said
            Assert-That (-not (Test-HasAdded $name).Any) "it keeps what was added: $said"
            Assert-That ((Get-ServiceKey $name).ImagePath -eq $PoliteExe) 'it has another command line'
        }
        'taken over, started without a restart of the machine, given back'
    }
    Check 'import-refuses-what-is-no-process' {
        # None of them is ever started: nothing but their entries in the database is used.
        $kinds = @{
            driver = @('type=', 'kernel', 'start=', 'disabled', 'binPath=', 'System32\drivers\beep.sys')
            share = @('type=', 'share', 'start=', 'disabled', 'binPath=',
                "$env:SystemRoot\System32\svchost.exe -k mainstay-proof")
        }
        foreach ($kind in $kinds.Keys) {
            Use-Foreign $kind $kinds[$kind] {
                param([string] $name)
                $before = (Get-ServiceKey $name).ImagePath
                $refusal = Invoke-Mainstay @('import', 'sc', $name, '--replace', '--yes')
                Assert-That ($LASTEXITCODE -ne 0) "$name was taken over: $refusal"
                Assert-That ((Get-ServiceKey $name).ImagePath -eq $before) "$name was changed"
            }
        }
        'a driver and a service in a shared process'
    }
    Check 'shutdown-follows-stop-timeout' {
        $name = Install-Proof 'patient' @('--no-start') @($PoliteExe)
        $said = Invoke-Mainstay @('service', 'set', $name, 'stop.timeout=2m')
        Assert-That ($LASTEXITCODE -eq 0) $said
        $time = (Get-ServiceKey $name).PreshutdownTimeout
        Assert-That ($time -eq 125000) "$time ms"
        "$time ms"
    }
    Check 'dump-installs-the-same' {
        $words = @($PoliteExe, 'a&b', '%OS%', 'two words', 'a.b.c', '50%')
        $name = Install-Proof 'dumped' @('--no-start') $words
        $before = Invoke-Mainstay @('service', 'get', $name, 'command')
        Assert-That ($before.Contains('a&b') -and $before.Contains('%OS%')) $before
        $line = Invoke-Mainstay @('service', 'dump', $name, '--show-values')
        Assert-That ($LASTEXITCODE -eq 0) $line
        Invoke-Mainstay @('service', 'remove', $name, '--purge') | Out-Null
        # The line calls us by our name.
        Copy-Item -LiteralPath $Exe -Destination (Join-Path $Work 'mainstay.exe') -Force
        $batch = Join-Path $Work 'again.cmd'
        $line = $line.Replace(' install ', ' install --no-start --allow-writable ')
        [IO.File]::WriteAllText($batch, "@set PATH=$Work;%PATH%`r`n@$line`r`n")
        $said = Invoke-Program (Join-Path $env:SystemRoot 'System32\cmd.exe') @('/d', '/c', $batch)
        Assert-That ($LASTEXITCODE -eq 0) "$line`: $said"
        $after = Invoke-Mainstay @('service', 'get', $name, 'command')
        Assert-That ($after -eq $before) "$before became $after"
        $after
    }
    Check 'odd-names' {
        # Names that files cannot have, and one as long as a name can be.
        $long = ([string] [char] 0x670D) * 256
        foreach ($name in @('con', 'nul', 'com1', $long)) {
            if (Get-Service -Name $name -ErrorAction SilentlyContinue) { throw "skip: $name exists" }
            try {
                $said = Invoke-Mainstay @('service', 'install', $name, '--allow-writable', '--', $PoliteExe)
                Assert-That ($LASTEXITCODE -eq 0) "$name`: $said"
                Wait-ForLine $name 'ready'
            } finally { Invoke-Mainstay @('service', 'remove', $name, '--purge') | Out-Null }
            $left = Get-Service -Name $name -ErrorAction SilentlyContinue
            Assert-That (-not $left) "$name is left behind"
        }
        'con, nul, com1 and 256 letters of Chinese'
    }
    Check 'profile-refused' {
        $name = "$Prefix-profile"
        $words = @('service', 'install', $name, '--directory', $env:USERPROFILE, '--', $PoliteExe)
        $sddl = (Get-Acl -LiteralPath $env:USERPROFILE).Sddl
        $said = Invoke-Mainstay $words
        Assert-That ($LASTEXITCODE -ne 0) "it was installed: $said"
        Assert-That ((Get-Acl -LiteralPath $env:USERPROFILE).Sddl -eq $sddl) 'the profile was opened'
        $said.Trim()
    }
    Check 'upgrade-under-a-program' {
        # Every service of ours is handed over, and our program replaced: only where nobody has any.
        if ($HadOwn) { throw 'skip: Mainstay is installed here' }
        $name = Install-Proof 'upgraded' @() @($PoliteExe)
        Wait-ForLine $name 'ready'
        $before = Get-Unit $name
        $former = (Get-Instance $name).keeper.pid
        # One byte more is another program of the same version.
        $next = Join-Path $Work 'next.exe'
        Copy-Item -LiteralPath $Exe -Destination $next -Force
        $stream = [IO.File]::Open($next, [IO.FileMode]::Append)
        try { $stream.WriteByte(0) } finally { $stream.Dispose() }
        $said = Invoke-Mainstay @('upgrade', '--instance', $name, '--program', $next)
        Assert-That ($LASTEXITCODE -eq 0) $said
        $after = Get-Unit $name
        Assert-That ($after.pid -eq $before.pid -and $after.run -eq $before.run) 'another run'
        Assert-That ((Get-Instance $name).keeper.pid -ne $former) 'the keeper is the former one'
        $placed = Join-Path $Own 'mainstay.exe'
        $same = (Get-FileHash -LiteralPath $placed).Hash -eq (Get-FileHash -LiteralPath $next).Hash
        Assert-That $same "$placed is the former program"
        Stop-Proof $name | Out-Null
        "same program $($after.pid), another keeper and another $placed"
    }
}
