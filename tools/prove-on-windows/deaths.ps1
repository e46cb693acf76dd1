# What dies, and what that costs. Read by prove-on-windows.ps1.

$Ends = @'
using System; using System.Threading;
class Program {
    static int Main() {
        Console.WriteLine("once");
        Thread.Sleep(300);
        return 7;
    }
}
'@

$Crashes = @'
using System;
class Program {
    static void Main() {
        Console.WriteLine("once");
        Environment.FailFast("mainstay-proof");
    }
}
'@

function New-MortalPrograms {
    $script:EndsExe = Join-Path $Work 'mainstay-proof-ends.exe'
    $script:CrashesExe = Join-Path $Work 'mainstay-proof-crash.exe'
    Add-Type -TypeDefinition $Ends -OutputAssembly $EndsExe -OutputType ConsoleApplication
    Add-Type -TypeDefinition $Crashes -OutputAssembly $CrashesExe -OutputType ConsoleApplication
}

# Kills the keeper and waits until another one serves.
function Stop-Keeper([string] $Name) {
    $former = (Get-Instance $Name).keeper.pid
    Stop-Process -Id $former -Force
    Wait-For 'another keeper serves it' {
        $now = try { Get-Instance $Name } catch { $null }
        $now -and $now.keeper.pid -ne $former
    } | Out-Null
}

# Kills the agent and waits until another one answers.
function Stop-Agent([string] $Name) {
    $former = (Get-Instance $Name).agent.pid
    Stop-Process -Id $former -Force
    Wait-For 'another agent answers' {
        $now = try { Get-Instance $Name } catch { $null }
        $now -and $now.agent.pid -ne $former
    } | Out-Null
}

# Returns the newest entry of that number which names the service.
function Wait-ForEntry([string] $Service, [int] $Number) {
    Wait-For "the Event Log has an entry $Number of $Service" {
        Get-Entries | Where-Object { $_.Id -eq $Number -and $_.Message -like "*$Service*" } |
            Select-Object -First 1
    }
}

# Returns the entries of this run, the newest one first.
function Get-Entries {
    $filter = @{ LogName = 'Application'; ProviderName = 'Mainstay'; StartTime = $Began }
    Get-WinEvent -FilterHashtable $filter -ErrorAction SilentlyContinue
}

function Get-Count([string] $Name, [string] $Text) {
    ([regex]::Matches((Get-Log $Name), [regex]::Escape($Text))).Count
}

function Test-Deaths {
    Check 'agent-starts-a-dead-keeper' {
        $name = Install-Proof 'orphan' @() @($PoliteExe)
        Wait-ForLine $name 'ready'
        $said = Invoke-Sc @('failure', $name, 'reset=', '0', 'actions=', '""')
        Assert-That ($LASTEXITCODE -eq 0) $said
        $program = (Get-Unit $name).pid
        Stop-Keeper $name
        Assert-That ((Get-Unit $name).pid -eq $program) 'the program is another one'
        Wait-For 'the manager knows it' { (Get-Service -Name $name).Status -eq 'Running' } | Out-Null
        Stop-Proof $name | Out-Null
        "same program $program without an action of the manager"
    }
    Check 'disabled-service-stops-its-program' {
        $name = Install-Proof 'disabled' @() @($PoliteExe)
        Wait-ForLine $name 'ready'
        $program = (Get-Unit $name).pid
        $said = Invoke-Sc @('config', $name, 'start=', 'disabled')
        Assert-That ($LASTEXITCODE -eq 0) $said
        Stop-Process -Id (Get-Instance $name).keeper.pid -Force
        Wait-For 'its program has ended' {
            -not (Get-Process -Id $program -ErrorAction SilentlyContinue)
        } 120 | Out-Null
        Wait-ForLine $name 'bye'
        (Wait-ForEntry $name 117).Message
    }
    Check 'agent-killed-under-each-account' {
        foreach ($account in @('LocalService', 'NetworkService', 'own')) {
            $options = @(if ($account -ne 'own') { '--account'; $account })
            $name = Install-Proof "agent-$($account.ToLowerInvariant())" $options @($PoliteExe)
            Wait-ForLine $name 'ready'
            $unit = Get-Unit $name
            Stop-Agent $name
            Assert-That ((Get-Unit $name).pid -eq $unit.pid) "$account`: the program is another one"
            Stop-Process -Id $unit.pid -Force
            $how = Wait-For "$account`: its end is known" {
                $now = Get-Unit $name
                $last = if ($now) { $now.PSObject.Properties['last-exit'] }
                if ($last -and $last.Value.run -eq $unit.run) { $last.Value.how }
            }
            Stop-Proof $name | Out-Null
        }
        "same program, and afterwards: $how"
    }
    Check 'manager-starts-after-1066' {
        $name = Install-Proof 'recovered' @('--on-failure', 'scm') @($EndsExe)
        $flag = Invoke-Sc @('qfailureflag', $name)
        Assert-That ($flag -match '(?i)TRUE') $flag
        Wait-For 'the manager has started it again' { (Get-Count $name 'once') -ge 2 } | Out-Null
        (Wait-ForEntry $name 105).Message
    }
    Check 'spawn-loop-leaves-nothing' {
        $loop = Join-Path $Work 'mainstay-proof-loop.exe'
        Copy-Item -LiteralPath $EndsExe -Destination $loop
        $name = Install-Proof 'loop' @('--no-start') @($loop)
        $said = Invoke-Mainstay @('service', 'set', $name, 'restart.delay=10ms', 'restart.max-delay=20ms')
        Assert-That ($LASTEXITCODE -eq 0) $said
        Invoke-Mainstay @('service', 'start', $name) | Out-Null
        foreach ($round in 1..3) {
            $count = Get-Count $name 'once'
            Wait-For 'it is started again and again' { (Get-Count $name 'once') -gt $count } | Out-Null
            Stop-Keeper $name
        }
        Stop-Proof $name | Out-Null
        Wait-For 'none is left' {
            -not (Get-Process -Name 'mainstay-proof-loop' -ErrorAction SilentlyContinue)
        } | Out-Null
        'three keepers killed, no process left'
    }
    Check 'crash-leaves-a-dump' {
        $all = 'HKLM:\SOFTWARE\Microsoft\Windows\Windows Error Reporting\LocalDumps'
        $key = Join-Path $all (Split-Path -Leaf $CrashesExe)
        $dumps = Join-Path $Work 'dumps'
        New-Item -ItemType Directory -Force -Path $dumps | Out-Null
        # The key alone makes the system write dumps of every program.
        $hadAll = Test-Path -LiteralPath $all
        try {
            New-Item -Path $key -Force | Out-Null
            New-ItemProperty -Path $key -Name 'DumpFolder' -Value $dumps | Out-Null
            New-ItemProperty -Path $key -Name 'DumpType' -Value 1 -PropertyType DWord | Out-Null
            $name = Install-Proof 'crash' @('--account', 'LocalSystem') @($CrashesExe)
            $dump = Wait-For 'there is a dump' {
                Get-ChildItem -LiteralPath $dumps -Filter '*.dmp' | Select-Object -First 1
            } 120
            Wait-For 'no box holds it up' { (Get-Count $name 'once') -ge 2 } 120 | Out-Null
            Stop-Proof $name | Out-Null
        } finally {
            $made = if ($hadAll) { $key } else { $all }
            Remove-Item -LiteralPath $made -Recurse -Force -ErrorAction SilentlyContinue
        }
        "$($dump.Name), and it was started again"
    }
    Check 'priority-realtime' {
        $name = Install-Proof 'realtime' @('--priority', 'realtime') @($PoliteExe)
        Wait-For 'the start says 1314' {
            $all = $Said + (Invoke-Sc @('query', $name)) +
                (Invoke-Mainstay @('--instance', $name, 'events'))
            $all -match '\b1314\b'
        } | Out-Null
        $name = Install-Proof 'mighty' @('--account', 'LocalSystem', '--priority', 'realtime') @($PoliteExe)
        Wait-ForLine $name 'ready'
        $class = (Get-Process -Id (Get-Unit $name).pid).PriorityClass
        Stop-Proof $name | Out-Null
        Assert-That ($class -eq 'RealTime') "LocalSystem: $class"
        '1314 for an account of its own, RealTime for LocalSystem'
    }
}

# The last check: what the others have brought about is in the log.
function Test-Entries {
    Check 'event-log-numbers' {
        if ($Only) { throw 'skip: it reads what the other checks leave' }
        $entries = @(Get-Entries)
        $numbers = @($entries | ForEach-Object { $_.Id } | Sort-Object -Unique)
        $lacking = @(100, 101, 102, 105, 115, 116, 117 | Where-Object { $numbers -notcontains $_ })
        Assert-That ($lacking.Count -eq 0) "not there: $($lacking -join ' ')"
        $mute = @($entries | Where-Object { -not $_.Message })
        Assert-That ($mute.Count -eq 0) "$($mute.Count) entries have no text"
        "each with its text: $($numbers -join ' ')"
    }
}
