<#
.SYNOPSIS
Shows on a real Windows what Wine cannot show, and undoes everything that it did.

.DESCRIPTION
Run it in an elevated PowerShell 5.1. It makes services, users and a variable whose names begin with
`mainstay-proof`, and removes them again, whatever happens. Each check passes, fails or is skipped,
with its evidence. With -Write the outcome goes into docs/reference/windows-support.md, beside the
capability that names the check.

A shutdown takes two runs: -BeforeReboot leaves a service, and -AfterReboot looks what became of it.

.EXAMPLE
powershell -ExecutionPolicy Bypass -File tools\prove-on-windows.ps1 -Write
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
[CmdletBinding()]
param(
    # The program to be proved; without it, it is built by cargo.
    [string] $Exe,
    # Writes the outcome into the table of capabilities.
    [switch] $Write,
    # A managed account of a domain, such as CORP\web$, to be tried, too.
    [string] $ManagedAccount,
    # Runs this check alone.
    [string] $Only,
    [switch] $BeforeReboot,
    [switch] $AfterReboot
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$env:MAINSTAY_LANG = 'en'

$Root = Split-Path -Parent $PSScriptRoot
$Prefix = 'mainstay-proof'
$User = 'mainstay-proof'
$Variable = 'MAINSTAY_PROOF_VARIABLE'
$Base = Join-Path $env:ProgramData 'mainstay'
$Own = Join-Path $env:ProgramFiles 'Mainstay'
$HadBase = Test-Path -LiteralPath $Base
$HadOwn = Test-Path -LiteralPath $Own
# Accounts of services cannot read a person's folders.
$Work = Join-Path $env:SystemDrive 'mainstay-proof'
# The run before a restart notes here what was not there, for the run after it.
$Missing = Join-Path $Work 'was-missing'
if ($AfterReboot -and (Test-Path -LiteralPath $Missing)) {
    $was = @(Get-Content -LiteralPath $Missing)
    $HadBase = $was -notcontains 'base'
    $HadOwn = $was -notcontains 'own'
}
$Results = New-Object System.Collections.ArrayList
# Older entries of the Event Log are others' stories.
$Began = Get-Date

# --- The programs that are made services -------------------------------------------------------

$Polite = @'
using System; using System.Threading;
class Program {
    static void Main() {
        var asked = new ManualResetEvent(false);
        Console.CancelKeyPress += (sender, e) => { e.Cancel = true; asked.Set(); };
        Console.WriteLine("account " + System.Security.Principal.WindowsIdentity.GetCurrent().Name);
        Console.WriteLine("variable " + Environment.GetEnvironmentVariable("MAINSTAY_PROOF_VARIABLE"));
        Console.WriteLine("ready");
        var number = 0;
        while (!asked.WaitOne(500)) { Console.WriteLine("tick " + (++number)); }
        Thread.Sleep(2500);
        Console.WriteLine("bye");
    }
}
'@

$Windowed = @'
using System; using System.Windows.Forms;
class Program {
    static void Main() {
        var form = new Form();
        form.ShowInTaskbar = false;
        form.Shown += (sender, e) => Console.WriteLine("ready");
        form.FormClosing += (sender, e) => { Console.WriteLine("bye"); Console.Out.Flush(); };
        Application.Run(form);
    }
}
'@

function New-Programs {
    New-Item -ItemType Directory -Force -Path $Work | Out-Null
    $script:PoliteExe = Join-Path $Work 'polite.exe'
    $script:WindowedExe = Join-Path $Work 'windowed.exe'
    Add-Type -TypeDefinition $Polite -OutputAssembly $PoliteExe -OutputType ConsoleApplication
    Add-Type -TypeDefinition $Windowed -OutputAssembly $WindowedExe -OutputType WindowsApplication `
        -ReferencedAssemblies System.Windows.Forms
}

# --- Asking and waiting ------------------------------------------------------------------------

# Runs a program to its end; returns what it printed, with the code in $global:LASTEXITCODE.
function Invoke-Program([string] $Program, [string[]] $Words) {
    # What goes to stderr is an error record for PowerShell 5.1, and none for us.
    $before = $ErrorActionPreference
    $ErrorActionPreference = 'Continue'
    try { ((& $Program @Words 2>&1) | ForEach-Object { "$_" }) -join "`n" }
    finally { $ErrorActionPreference = $before }
}

function Invoke-Mainstay([string[]] $Words) { Invoke-Program $Exe $Words }

function Invoke-Sc([string[]] $Words) {
    Invoke-Program (Join-Path $env:SystemRoot 'System32\sc.exe') $Words
}

function Assert-That([bool] $IsTrue, [string] $What) { if (-not $IsTrue) { throw $What } }

function Wait-For([string] $What, [scriptblock] $Look, [int] $Seconds = 60) {
    $until = (Get-Date).AddSeconds($Seconds)
    while ((Get-Date) -lt $until) {
        $found = & $Look
        if ($found) { return $found }
        Start-Sleep -Milliseconds 200
    }
    throw "not so after $Seconds s: $What"
}

# Makes a service of a program; gives its name. The words stand before `--`.
function Install-Proof([string] $Suffix, [string[]] $Options, [string[]] $Command) {
    $name = "$Prefix-$Suffix"
    Invoke-Mainstay @('service', 'remove', $name, '--purge') | Out-Null
    $words = @('service', 'install', $name, '--allow-writable') + $Options + @('--') + $Command
    $script:Said = Invoke-Mainstay $words
    $name
}

function Get-Log([string] $Name) {
    Invoke-Mainstay @('--instance', $Name, 'logs', '--raw', '-n', 'all')
}

function Get-Unit([string] $Name) {
    $status = Invoke-Mainstay @('--instance', $Name, 'status', '--json')
    try { ($status | ConvertFrom-Json).units[0] } catch { $null }
}

function Test-IsRunning([string] $Name) {
    $unit = Get-Unit $Name
    $unit -and $unit.state -eq 'running'
}

function Get-Instance([string] $Name) {
    (Invoke-Mainstay @('--instance', $Name, 'status', '--json')) | ConvertFrom-Json
}

function Wait-ForLine([string] $Name, [string] $Text) {
    Wait-For "the log of $Name says '$Text'" { (Get-Log $Name).Contains($Text) } | Out-Null
}

function Stop-Proof([string] $Name) {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    Invoke-Mainstay @('service', 'stop', $Name) | Out-Null
    Assert-That ($LASTEXITCODE -eq 0) "it does not stop: $LASTEXITCODE"
    $watch.Elapsed.TotalSeconds
}

function Get-ServiceKey([string] $Name) {
    Get-ItemProperty -LiteralPath "HKLM:\SYSTEM\CurrentControlSet\Services\$Name"
}

# Runs a command, ours unless said, as the proof's user, who is no administrator.
function Invoke-AsUser([string] $Words, [string] $Program) {
    $out = Join-Path $Work 'user.out'
    $err = Join-Path $Work 'user.err'
    if (-not $Program) {
        $Program = Join-Path $Work 'mainstay.exe'
        Copy-Item -LiteralPath $Exe -Destination $Program -Force
    }
    $process = Start-Process -FilePath $Program -ArgumentList $Words -Credential $script:Credential `
        -WorkingDirectory $Work -RedirectStandardOutput $out -RedirectStandardError $err `
        -WindowStyle Hidden -PassThru -Wait
    $said = (Get-Content -Raw -LiteralPath $out, $err -ErrorAction SilentlyContinue) -join "`n"
    New-Object psobject -Property @{ Code = $process.ExitCode; Said = $said }
}

function New-ProofUser {
    Remove-ProofUser
    $script:Password = 'Pr00f-' + [Guid]::NewGuid().ToString('N')
    $secret = ConvertTo-SecureString $Password -AsPlainText -Force
    New-LocalUser -Name $User -Password $secret -Description 'made by prove-on-windows.ps1' | Out-Null
    $script:Credential = New-Object Management.Automation.PSCredential(".\$User", $secret)
}

function Remove-ProofUser {
    $made = Get-LocalUser -Name $User -ErrorAction SilentlyContinue
    if (-not $made) { return }
    # Whoever has logged on has a profile, which does not go with the user.
    $filter = "SID='$($made.SID.Value)'"
    Get-CimInstance -ClassName Win32_UserProfile -Filter $filter -ErrorAction SilentlyContinue |
        Remove-CimInstance -ErrorAction SilentlyContinue
    Remove-LocalUser -Name $User
}

# --- The frame of a check ----------------------------------------------------------------------

function Add-Result([string] $Name, [string] $Outcome, [string] $Evidence) {
    $result = New-Object psobject -Property @{ Name = $Name; Outcome = $Outcome; Evidence = $Evidence }
    [void] $Results.Add($result)
    Write-Host ('{0,-8} {1}: {2}' -f $Outcome, $Name, $Evidence)
}

# Runs a body that gives its evidence, throws what is wrong, or throws `skip: why`.
# The names of its own variables are long, because the body sees them before those of its caller.
function Check([string] $CheckName, [scriptblock] $CheckBody) {
    if ($Only -and $Only -ne $CheckName) { return }
    try { Add-Result $CheckName 'passed' ("$(& $CheckBody | Select-Object -Last 1)") }
    catch {
        $checkWhy = $_.Exception.Message
        if ($checkWhy.StartsWith('skip: ')) { Add-Result $CheckName 'skipped' $checkWhy.Substring(6) }
        else { Add-Result $CheckName 'failed' $checkWhy }
    }
}

# --- What Wine cannot show ---------------------------------------------------------------------

function Test-Accounts {
    Check 'account-of-its-own' {
        $name = Install-Proof 'own' @() @($PoliteExe)
        Assert-That ($LASTEXITCODE -eq 0) $Said
        Wait-ForLine $name 'ready'
        $wanted = "account NT SERVICE\$name"
        Assert-That ((Get-Log $name) -match [regex]::Escape($wanted)) (Get-Log $name)
        Stop-Proof $name | Out-Null
        $wanted
    }
    Check 'account-local-service' { Test-Account 'LocalService' 'LocalServiceSid' }
    Check 'account-network-service' { Test-Account 'NetworkService' 'NetworkServiceSid' }
    Check 'account-of-a-person' {
        New-ProofUser
        # What goes to stderr is no end of the check.
        $ErrorActionPreference = 'Continue'
        $name = "$Prefix-person"
        $words = @('service', 'install', $name, '--account', ".\$User", '--password-stdin', '--', $PoliteExe)
        $said = ($Password | & $Exe @words 2>&1 | ForEach-Object { "$_" }) -join "`n"
        Assert-That ($LASTEXITCODE -eq 0) $said
        Wait-ForLine $name "\$User"
        Stop-Proof $name | Out-Null
        'it runs as the user; the right to log on as a service was granted'
    }
    Check 'account-managed' {
        if (-not $ManagedAccount) { throw 'skip: name one with -ManagedAccount' }
        $name = Install-Proof 'managed' @('--account', $ManagedAccount) @($PoliteExe)
        Assert-That ($LASTEXITCODE -eq 0) $Said
        Wait-ForLine $name 'ready'
        $ManagedAccount
    }
}

# The names of these accounts differ by language, so the system is asked for them.
function Test-Account([string] $Account, [string] $Kind) {
    $service = Install-Proof $Account.ToLowerInvariant() @('--account', $Account) @($PoliteExe)
    Assert-That ($LASTEXITCODE -eq 0) $Said
    Wait-ForLine $service 'ready'
    $type = [Security.Principal.WellKnownSidType] $Kind
    $identity = New-Object Security.Principal.SecurityIdentifier($type, $null)
    $wanted = 'account ' + $identity.Translate([Security.Principal.NTAccount]).Value
    Assert-That ((Get-Log $service).Contains($wanted)) (Get-Log $service)
    Stop-Proof $service | Out-Null
    $wanted
}

function Test-Manager {
    $name = Install-Proof 'settings' @('--account', 'LocalSystem', '--start', 'delayed') @($PoliteExe)
    Check 'recovery-actions-set' {
        $said = Invoke-Sc @('qfailure', $name)
        Assert-That (([regex]::Matches($said, '(?i)RESTART')).Count -ge 3) $said
        $flag = Invoke-Sc @('qfailureflag', $name)
        Assert-That ($flag -match '(?i)FALSE') $flag
        'three restarts; not after an end without a crash'
    }
    Check 'identity-of-its-own-set' {
        $said = Invoke-Sc @('qsidtype', $name)
        Assert-That ($said -match 'UNRESTRICTED') $said
        'UNRESTRICTED'
    }
    Check 'time-before-shutdown-set' {
        $key = Get-ServiceKey $name
        Assert-That ($key.PreshutdownTimeout -ge 30000) "$($key.PreshutdownTimeout) ms"
        "$($key.PreshutdownTimeout) ms"
    }
    Check 'delayed-start-set' {
        $key = Get-ServiceKey $name
        Assert-That ($key.Start -eq 2 -and $key.DelayedAutostart -eq 1) "$key"
        'Start 2, DelayedAutostart 1'
    }
    Check 'may-start-itself' {
        $identity = ([regex]::Match((Invoke-Sc @('showsid', $name)), 'S-1-5-80-[0-9-]+')).Value
        $rights = Invoke-Sc @('sdshow', $name)
        Assert-That ($identity -and $rights.Contains($identity)) $rights
        $identity
    }
    Check 'pipe-by-powershell' {
        $answers = foreach ($path in [IO.Directory]::GetFiles('\\.\pipe\') -like '*mainstay-*-api.sock') {
            $pipe = [IO.Pipes.NamedPipeClientStream]::new('.', (Split-Path -Leaf $path), 'InOut', 'None', 'Identification')
            $pipe.Connect(5000)
            $head = [Text.Encoding]::ASCII.GetBytes("GET /v1/status HTTP/1.1`r`nHost: m`r`nConnection: close`r`n`r`n")
            $pipe.Write($head, 0, $head.Length)
            [IO.StreamReader]::new($pipe).ReadToEnd()
        }
        Assert-That (@($answers) -match '^HTTP/1.1 200') "$answers"
        "$(@($answers).Count) answers"
    }
    Check 'missing-program-code' {
        $gone = Join-Path $Work 'gone.exe'
        Copy-Item -LiteralPath $PoliteExe -Destination $gone
        $missing = Install-Proof 'missing' @('--account', 'LocalSystem', '--no-start', '--start', 'demand') @($gone)
        Remove-Item -LiteralPath $gone
        $said = Invoke-Sc @('start', $missing)
        $state = Wait-For 'it has stopped' {
            $now = Invoke-Sc @('query', $missing)
            if ($now -match 'STOPPED') { $now }
        }
        Assert-That ($state -match 'WIN32_EXIT_CODE\s*:\s*2\b') "$said $state"
        'WIN32_EXIT_CODE 2'
    }
    Check 'manager-starts-a-dead-keeper' {
        Wait-ForLine $name 'ready'
        $before = Get-Instance $name
        $program = (Get-Unit $name).pid
        Stop-Process -Id $before.keeper.pid -Force
        Wait-For 'another keeper serves it' {
            $now = try { Get-Instance $name } catch { $null }
            $now -and $now.keeper.pid -ne $before.keeper.pid
        } | Out-Null
        Assert-That ((Get-Unit $name).pid -eq $program) 'the program is another one'
        $state = (Get-Service -Name $name).Status
        Assert-That ($state -eq 'Running') "the manager says $state"
        "same program $program"
    }
    Check 'agent-killed-costs-nothing' {
        $before = Get-Instance $name
        $program = (Get-Unit $name).pid
        Stop-Process -Id $before.agent.pid -Force
        Wait-For 'another agent answers' {
            $now = try { Get-Instance $name } catch { $null }
            $now -and $now.agent.pid -ne $before.agent.pid
        } | Out-Null
        Assert-That ((Get-Unit $name).pid -eq $program) 'the program is another one'
        "same program $program"
    }
    Check 'private-memory' {
        $now = Get-Instance $name
        $sum = 0
        foreach ($number in @($now.keeper.pid, $now.agent.pid)) {
            $sum += (Get-Process -Id $number).PrivateMemorySize64
        }
        Assert-That ($sum -le 8MB) "$sum bytes"
        '{0:N1} MiB, keeper and agent together' -f ($sum / 1MB)
    }
    Check 'event-log-entries' {
        $entry = Wait-For 'an entry names the service' {
            Get-WinEvent -FilterHashtable @{ LogName = 'Application'; ProviderName = 'Mainstay' } `
                -MaxEvents 50 -ErrorAction SilentlyContinue |
                Where-Object { $_.Message -like "*$name*" } | Select-Object -First 1
        }
        Assert-That ($entry.Id -ge 100 -and $entry.Id -le 119) "$($entry.Id)"
        "$($entry.Id): $($entry.Message)"
    }
}

function Test-Programs {
    Check 'ctrl-c-last-word' {
        $name = Install-Proof 'bye' @() @($PoliteExe)
        Wait-ForLine $name 'ready'
        $seconds = Stop-Proof $name
        Assert-That ((Get-Log $name).Contains('bye')) (Get-Log $name)
        '{0:N1} s' -f $seconds
    }
    Check 'ctrl-c-exit-code' {
        # It hears Ctrl-C by the system's own handler, as most programs do.
        $waitfor = Join-Path $env:SystemRoot 'System32\waitfor.exe'
        $name = Install-Proof 'code' @('--account', 'LocalSystem') @($waitfor, 'MainstayProofNever')
        Wait-For 'it runs' { Test-IsRunning $name } | Out-Null
        Stop-Proof $name | Out-Null
        Invoke-Mainstay @('service', 'start', $name) | Out-Null
        $events = Invoke-Mainstay @('--instance', $name, 'events')
        Assert-That ($events -match '(?i)C000013A|3221225786') $events
        '0xC000013A'
    }
    Check 'window-on-another-desktop' {
        $name = Install-Proof 'window' @() @($WindowedExe)
        Wait-ForLine $name 'ready'
        $seconds = Stop-Proof $name
        Assert-That ((Get-Log $name).Contains('bye')) 'WM_CLOSE did not come'
        '{0:N1} s, as an account of its own' -f $seconds
    }
    Check 'batch-without-a-question' {
        $batch = Join-Path $Work 'serve.cmd'
        Set-Content -LiteralPath $batch -Encoding Ascii -Value @(
            '@echo off', 'echo ready', ':again', 'ping -n 2 127.0.0.1 >nul', 'goto again')
        $name = Install-Proof 'batch' @() @($batch)
        Wait-ForLine $name 'ready'
        $seconds = Stop-Proof $name
        Assert-That ($seconds -lt 15) "it took $seconds s"
        '{0:N1} s' -f $seconds
    }
    Check 'batch-percent' {
        $batch = Join-Path $Work 'words.cmd'
        Set-Content -LiteralPath $batch -Encoding Ascii -Value @(
            '@echo off', 'echo word %1', 'ping -n 100 127.0.0.1 >nul')
        $name = Install-Proof 'percent' @() @($batch, '%OS% & x')
        Wait-ForLine $name 'word '
        Assert-That ((Get-Log $name).Contains('word "%OS% & x"')) (Get-Log $name)
        'the word comes as it was written'
    }
    Check 'powershell-exit-code' {
        $file = Join-Path $Work 'seven.ps1'
        Set-Content -LiteralPath $file -Encoding Ascii -Value @('Write-Output ready', 'exit 7')
        $name = Install-Proof 'script' @() @($file)
        Wait-For 'its code is known' {
            $unit = Get-Unit $name
            $last = if ($unit) { $unit.PSObject.Properties['last-exit'] }
            $last -and $last.Value.code -eq 7
        } | Out-Null
        'code 7'
    }
    Check 'fresh-environment' {
        $name = Install-Proof 'variable' @() @($PoliteExe)
        Wait-ForLine $name 'ready'
        Stop-Proof $name | Out-Null
        $value = [Guid]::NewGuid().ToString('N')
        [Environment]::SetEnvironmentVariable($Variable, $value, 'Machine')
        Invoke-Mainstay @('service', 'start', $name) | Out-Null
        Wait-ForLine $name "variable $value"
        'a variable that was set after the boot is there'
    }
    Check 'live-log-deleted' {
        $name = Install-Proof 'log' @('--account', 'LocalSystem') @($PoliteExe)
        Wait-ForLine $name 'tick 2'
        $live = Get-ChildItem -LiteralPath $Base -Recurse -Filter '*.log' |
            Where-Object { $_.FullName -like "*$name*logs*" } | Select-Object -First 1
        $last = [int] ([regex]::Matches((Get-Log $name), 'tick (\d+)') |
            Select-Object -Last 1 | ForEach-Object { $_.Groups[1].Value })
        Remove-Item -LiteralPath $live.FullName -Force
        Wait-ForLine $name "tick $($last + 4)"
        'a new log begins under the old name'
    }
}

function Test-Strangers {
    Check 'folders-guarded' {
        $name = Install-Proof 'guard' @() @($PoliteExe)
        $list = Get-Acl -LiteralPath (Join-Path (Join-Path $Base 'services') $name)
        Assert-That $list.AreAccessRulesProtected 'its list is inherited'
        $users = New-Object Security.Principal.SecurityIdentifier('S-1-5-32-545')
        $rules = $list.GetAccessRules($true, $true, [Security.Principal.SecurityIdentifier])
        Assert-That (-not ($rules | Where-Object { $_.IdentityReference -eq $users })) 'users may enter'
        $owner = $list.GetOwner([Security.Principal.SecurityIdentifier]).Value
        Assert-That (@('S-1-5-18', 'S-1-5-32-544') -contains $owner) "owner $owner"
        "owner $owner, $(@($rules).Count) entries"
    }
    Check 'strangers-refused' {
        New-ProofUser
        $name = Install-Proof 'stranger' @() @($PoliteExe)
        Wait-ForLine $name 'ready'
        $answer = Invoke-AsUser "--instance $name stop $name"
        Assert-That ($answer.Code -ne 0) "a stranger stopped it: $($answer.Said)"
        Assert-That (Test-IsRunning $name) 'it does not run any more'
        $answer.Said.Trim()
    }
    Check 'unelevated-told' {
        New-ProofUser
        $answer = Invoke-AsUser "service install $Prefix-never -- cmd.exe"
        Assert-That ($answer.Code -ne 0) "a stranger made a service: $($answer.Said)"
        Assert-That ($answer.Said -match 'administrator') $answer.Said
        $answer.Said.Trim()
    }
    Check 'scanner-content' {
        $scanner = Join-Path $env:ProgramFiles 'Windows Defender\MpCmdRun.exe'
        if (-not (Test-Path -LiteralPath $scanner)) { throw 'skip: there is no Defender' }
        $said = Invoke-Program $scanner @('-Scan', '-ScanType', '3', '-File', $Exe, '-DisableRemediation')
        Assert-That ($LASTEXITCODE -eq 0) $said
        'Defender finds nothing'
    }
}

# Two runs: what a shutdown leaves time for cannot be seen while it happens.
function Test-Shutdown {
    Check 'shutdown-last-word' {
        $name = "$Prefix-shutdown"
        if ($BeforeReboot) {
            Install-Proof 'shutdown' @() @($PoliteExe) | Out-Null
            Wait-ForLine $name 'ready'
            $gone = @()
            if (-not $HadBase) { $gone += 'base' }
            if (-not $HadOwn) { $gone += 'own' }
            Set-Content -LiteralPath $Missing -Value $gone
            throw 'skip: restart the machine, then run this with -AfterReboot'
        }
        if (-not $AfterReboot) { throw 'skip: takes two runs, -BeforeReboot and -AfterReboot' }
        Wait-For 'it was started at boot' { (Get-Service -Name $name).Status -eq 'Running' } | Out-Null
        Assert-That ((Get-Log $name).Contains('bye')) 'it had no last word'
        'its last word of 2.5 s is in the log, and it was started at boot'
    }
}

foreach ($part in @('deaths', 'rights', 'commands')) {
    . (Join-Path $PSScriptRoot "prove-on-windows\$part.ps1")
}

# --- Undoing, and writing it down --------------------------------------------------------------

function Undo-Everything {
    $services = @(Get-Service -Name "$Prefix-*" -ErrorAction SilentlyContinue)
    foreach ($service in $services) {
        if ($BeforeReboot -and $service.Name -eq "$Prefix-shutdown") { continue }
        Invoke-Mainstay @('service', 'remove', $service.Name, '--purge') | Out-Null
    }
    [Environment]::SetEnvironmentVariable($Variable, $null, 'Machine')
    Remove-ProofUser
    if ($BeforeReboot) { return }
    Remove-Item -LiteralPath $Work -Recurse -Force -ErrorAction SilentlyContinue
    if (-not $HadOwn) { Remove-Item -LiteralPath $Own -Recurse -Force -ErrorAction SilentlyContinue }
    if (-not $HadBase) { Remove-Item -LiteralPath $Base -Recurse -Force -ErrorAction SilentlyContinue }
}

# Replaces what stands behind the name of each check in the table.
function Write-Proofs {
    $page = Join-Path $Root 'docs\reference\windows-support.md'
    $text = [IO.File]::ReadAllText($page)
    $system = [Environment]::OSVersion.Version
    $day = (Get-Date).ToString('yyyy-MM-dd', [Globalization.CultureInfo]::InvariantCulture)
    foreach ($result in $Results) {
        if ($result.Outcome -eq 'skipped') { continue }
        $pattern = '`' + [regex]::Escape($result.Name) + '`: [^,|]*'
        $said = '`' + $result.Name + '`: ' + "$($result.Outcome) on $system on $day"
        $found = ([regex] $pattern).Match($text)
        Assert-That $found.Success "the table does not name $($result.Name)"
        $ending = if ($found.Value.EndsWith(' ')) { ' ' } else { '' }
        $text = $text.Replace($found.Value, $said + $ending)
    }
    [IO.File]::WriteAllText($page, $text)
}

if (-not $Exe) {
    & cargo build --release --package mainstay --manifest-path (Join-Path $Root 'Cargo.toml')
    Assert-That ($LASTEXITCODE -eq 0) 'cargo does not build it'
    $Exe = Join-Path $Root 'target\release\mainstay.exe'
}
$Exe = (Resolve-Path -LiteralPath $Exe).Path
$Here = (Get-Location).Path

try {
    # After a restart one of them runs, so that it cannot be made anew, and none is needed.
    if (-not $AfterReboot) {
        New-Programs
        # Services start in the folder where they are installed, and would be let into it.
        Set-Location -LiteralPath $Work
    }
    if (-not ($BeforeReboot -or $AfterReboot)) {
        New-MortalPrograms
        New-Squatter
        Test-Accounts
        Test-Manager
        Test-Programs
        Test-Strangers
        Test-Deaths
        Test-Rights
        Test-Commands
        Test-Entries
    }
    Test-Shutdown
} finally {
    Set-Location -LiteralPath $Here
    Undo-Everything
}
if ($Write) { Write-Proofs }
$failed = @($Results | Where-Object { $_.Outcome -eq 'failed' }).Count
Write-Host ('{0} passed, {1} failed, {2} skipped' -f `
    @($Results | Where-Object { $_.Outcome -eq 'passed' }).Count, $failed, `
    @($Results | Where-Object { $_.Outcome -eq 'skipped' }).Count)
exit $failed
