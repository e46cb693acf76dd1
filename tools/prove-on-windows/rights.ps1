# Who may do what: services, pipes, folders. Read by prove-on-windows.ps1.

$Squatter = @'
using System; using System.IO.Pipes; using System.Threading;
class Program {
    static void Main(string[] names) {
        using (new NamedPipeServerStream(names[0], PipeDirection.InOut, 1)) { Thread.Sleep(120000); }
    }
}
'@

function New-Squatter {
    $script:SquatterExe = Join-Path $Work 'squatter.exe'
    Add-Type -TypeDefinition $Squatter -OutputAssembly $SquatterExe -OutputType ConsoleApplication `
        -ReferencedAssemblies System.Core
}

# Asked for by their beginning: other programs' names may be none that .NET takes.
function Get-Pipes {
    [IO.Directory]::GetFiles('\\.\pipe\', 'mainstay-*') | ForEach-Object { ($_ -split '\\')[-1] }
}

# Installs a service; gives its pipe of that kind, `api` or `keeper`.
function Install-WithPipe([string] $Suffix, [string[]] $Options, [string] $Kind) {
    $before = @(Get-Pipes)
    $name = Install-Proof $Suffix $Options @($PoliteExe)
    Wait-ForLine $name 'ready'
    Wait-For "there is a pipe of $name" {
        Get-Pipes | Where-Object { $_ -like "*-$Kind.sock" -and $before -notcontains $_ } |
            Select-Object -First 1
    }
}

function Get-PipeOwner([string] $Pipe) {
    $client = [IO.Pipes.NamedPipeClientStream]::new('.', $Pipe, [IO.Pipes.PipeAccessRights]::ReadWrite,
        [IO.Pipes.PipeOptions]::None, [Security.Principal.TokenImpersonationLevel]::Identification,
        [IO.HandleInheritability]::None)
    try {
        $client.Connect(10000)
        $client.GetAccessControl().GetOwner([Security.Principal.SecurityIdentifier]).Value
    } finally { $client.Dispose() }
}

# Asks the control API; the level says how far the client lets itself be known.
function Invoke-Pipe([string] $Pipe, [Security.Principal.TokenImpersonationLevel] $Level) {
    $client = [IO.Pipes.NamedPipeClientStream]::new('.', $Pipe, [IO.Pipes.PipeDirection]::InOut,
        [IO.Pipes.PipeOptions]::Asynchronous, $Level)
    try {
        $client.Connect(10000)
        $question = [Text.Encoding]::ASCII.GetBytes("GET /v1/status HTTP/1.1`r`nHost: mainstay`r`n`r`n")
        $client.Write($question, 0, $question.Length)
        $room = [byte[]]::new(64)
        $answer = $client.ReadAsync($room, 0, $room.Length)
        if (-not $answer.Wait(10000)) { throw 'no answer' }
        [Text.Encoding]::ASCII.GetString($room, 0, $answer.Result)
    } catch { "refused: $($_.Exception.Message)" }
    finally { $client.Dispose() }
}

function Get-Identity([string] $Name) {
    ([regex]::Match((Invoke-Sc @('showsid', $Name)), 'S-1-5-80-[0-9-]+')).Value
}

# Returns the rights of somebody in the list that `sc sdshow` prints, two letters each.
function Get-Rights([string] $Name, [string] $Who) {
    $pattern = '\(A;;([A-Z]+);;;' + [regex]::Escape($Who) + '\)'
    foreach ($entry in [regex]::Matches((Invoke-Sc @('sdshow', $Name)), $pattern)) {
        [regex]::Matches($entry.Groups[1].Value, '..') | ForEach-Object { $_.Value }
    }
}

function Get-ServiceFolder([string] $Name) { Join-Path (Join-Path $Base 'services') $Name }

# Lets everybody change a folder, or takes that back.
function Set-Writers([string] $Folder, [string[]] $Words) {
    $said = Invoke-Program (Join-Path $env:SystemRoot 'System32\icacls.exe') (@($Folder) + $Words)
    Assert-That ($LASTEXITCODE -eq 0) $said
}

function Test-Rights {
    Check 'rights-of-the-service' {
        $name = Install-Proof 'rights' @() @($PoliteExe)
        $own = @(Get-Rights $name (Get-Identity $name))
        Assert-That ($own -contains 'RP' -and $own -contains 'LC') "its own: $own"
        foreach ($who in @('IU', 'SU')) {
            $theirs = @(Get-Rights $name $who)
            foreach ($right in @('CR', 'RP', 'WP', 'DC', 'WD', 'WO')) {
                Assert-That ($theirs -notcontains $right) "$who has $right`: $theirs"
            }
        }
        "its own: $own; whoever is logged on only looks"
    }
    Check 'letters-beyond-ascii' {
        # Written so because this file may be read in any code page.
        $suffix = 'gr' + [char] 0xF6 + [char] 0xDF + 'e-' + [char] 0x5BC6
        $name = Install-Proof $suffix @() @($PoliteExe)
        Assert-That ($LASTEXITCODE -eq 0) $Said
        Wait-For 'it runs' { (Get-Service -Name $name).Status -eq 'Running' } | Out-Null
        $identity = Get-Identity $name
        $own = @(Get-Rights $name $identity)
        Stop-Proof $name | Out-Null
        Assert-That ($own -contains 'RP') "$identity is not in its list"
        "$identity is the one that we have computed"
    }
    Check 'pipe-belongs-to-the-service' {
        foreach ($account in @('LocalService', 'NetworkService')) {
            $suffix = "pipe-$($account.ToLowerInvariant())"
            $name = "$Prefix-$suffix"
            $owner = Get-PipeOwner (Install-WithPipe $suffix @('--account', $account) 'api')
            Assert-That ($owner -eq (Get-Identity $name)) "$account`: the owner is $owner"
            Assert-That (Test-IsRunning $name) "$account`: status is refused"
        }
        Stop-Proof $name | Out-Null
        Invoke-Sc @('sidtype', $name, 'none') | Out-Null
        Invoke-Mainstay @('service', 'start', $name) | Out-Null
        Wait-For 'it is known by its process' { Test-IsRunning $name } | Out-Null
        Stop-Proof $name | Out-Null
        "$owner, and without an identity the process counts"
    }
    Check 'anonymous-client-refused' {
        $pipe = Install-WithPipe 'anonymous' @() 'api'
        $known = Invoke-Pipe $pipe 'Identification'
        Assert-That $known.StartsWith('HTTP/1.1 200') "who says who it is: $known"
        $unknown = Invoke-Pipe $pipe 'Anonymous'
        Assert-That (-not $unknown.StartsWith('HTTP/1.1 2')) "who does not: $unknown"
        ($unknown -split "`r`n")[0]
    }
    Check 'pipe-made-by-a-stranger' {
        New-ProofUser
        $pipe = Install-WithPipe 'squat' @() 'keeper'
        $name = "$Prefix-squat"
        Stop-Proof $name | Out-Null
        Wait-For 'its pipe is gone' { @(Get-Pipes) -notcontains $pipe } | Out-Null
        $stranger = Start-Process -FilePath $SquatterExe -ArgumentList $pipe -PassThru `
            -Credential $script:Credential -WorkingDirectory $Work -WindowStyle Hidden
        try {
            Wait-For 'a stranger has it' { @(Get-Pipes) -contains $pipe } | Out-Null
            $said = Invoke-Mainstay @('service', 'start', $name)
            Assert-That ($LASTEXITCODE -ne 0) "it starts: $said"
            $told = (Wait-ForEntry $name 116).Message
        } finally { Stop-Process -Id $stranger.Id -Force -ErrorAction SilentlyContinue }
        Assert-That $told.Contains((Get-LocalUser -Name $User).SID.Value) $told
        $told
    }
    Check 'same-account-another-service' {
        $name = Install-Proof 'neighbour' @('--account', 'LocalService') @($PoliteExe)
        Wait-ForLine $name 'ready'
        $copy = Join-Path $Work 'neighbour.exe'
        Copy-Item -LiteralPath $Exe -Destination $copy -Force
        $file = Join-Path (Get-ServiceFolder $name) 'mainstay.toml'
        $batch = Join-Path $Work 'neighbour.cmd'
        Set-Content -LiteralPath $batch -Encoding Ascii -Value @(
            '@echo off', "`"$copy`" --instance $name status", 'echo status=%errorlevel%',
            "type `"$file`"", 'echo type=%errorlevel%', 'ping -n 100 127.0.0.1 >nul')
        $other = Install-Proof 'curious' @('--account', 'LocalService') @($batch)
        Wait-ForLine $other 'type='
        $log = Get-Log $other
        Assert-That ($log -notmatch 'status=0|type=0') $log
        'neither its pipe nor its folder'
    }
    Check 'members-read-the-logs-alone' {
        New-ProofUser
        $name = Install-Proof 'members' @() @($PoliteExe)
        Wait-ForLine $name 'ready'
        $file = Join-Path (Get-ServiceFolder $name) 'mainstay.toml'
        $former = [IO.File]::ReadAllText($file)
        $users = [Security.Principal.SecurityIdentifier]::new('S-1-5-32-545')
        $group = ($users.Translate([Security.Principal.NTAccount]).Value -split '\\')[-1]
        $entry = "`n[[access]]`ngroup = `"$group`"`nrole = `"viewer`"`n"
        [IO.File]::WriteAllText($file, $former + $entry)
        Invoke-Mainstay @('service', 'restart', $name) | Out-Null
        Wait-For 'a member reads the log' {
            (Invoke-AsUser "--instance $name logs --raw -n all").Said.Contains('ready')
        } | Out-Null
        foreach ($command in @('status', "why $name")) {
            $answer = Invoke-AsUser "--instance $name $command"
            Assert-That ($answer.Code -eq 0) "$command`: $($answer.Said)"
        }
        $hidden = Join-Path (Get-ServiceFolder $name) 'state\agent.log'
        $answer = Invoke-AsUser "/d /c type `"$hidden`"" (Join-Path $env:SystemRoot 'System32\cmd.exe')
        Assert-That ($answer.Code -ne 0) "a member reads agent.log: $($answer.Said)"
        [IO.File]::WriteAllText($file, $former)
        Invoke-Mainstay @('service', 'restart', $name) | Out-Null
        $answer = Wait-For 'the log is closed again' {
            $now = Invoke-AsUser "--instance $name logs --raw -n all"
            if ($now.Code -ne 0) { $now }
        }
        $answer.Said.Trim()
    }
    Check 'writable-program-refused' {
        $name = "$Prefix-weak"
        $folder = Join-Path $Work 'weak'
        New-Item -ItemType Directory -Force -Path $folder | Out-Null
        Set-Writers $folder @('/grant', '*S-1-5-32-545:(OI)(CI)M')
        $weak = Join-Path $folder 'weak.exe'
        Copy-Item -LiteralPath $PoliteExe -Destination $weak -Force
        $said = Invoke-Mainstay @('service', 'install', $name, '--account', 'LocalSystem', '--', $weak)
        Assert-That ($LASTEXITCODE -ne 0) "LocalSystem: $said"
        Assert-That ($said.Contains('can be changed by every user')) $said
        $said = Invoke-Mainstay @('service', 'install', $name, '--', $weak)
        Assert-That ($LASTEXITCODE -eq 0) "an account of its own: $said"
        Assert-That ($said.Contains('can be changed by every user')) "no warning: $said"
        $findings = (Invoke-Mainstay @('doctor', '--json')) | ConvertFrom-Json
        $found = @($findings | Where-Object { $_.what.Contains($folder) -and $_.remedy.Contains('icacls') })
        Assert-That ($found.Count -gt 0) 'doctor does not find it'
        $found[0].remedy
    }
    Check 'writable-settings-not-believed' {
        $name = Install-Proof 'tampered' @('--no-start') @($PoliteExe)
        $folder = Get-ServiceFolder $name
        Set-Writers $folder @('/grant', '*S-1-5-32-545:(OI)(CI)M')
        Invoke-Sc @('start', $name) | Out-Null
        $state = Wait-For 'it has stopped' {
            $now = Invoke-Sc @('query', $name)
            if ($now -match 'STOPPED') { $now }
        }
        Set-Writers $folder @('/remove:g', '*S-1-5-32-545')
        Assert-That ($state -match ':\s*1066\b' -and $state -match ':\s*78\b') $state
        '1066 and 78'
    }
    Check 'granted-folder-given-back' {
        $folder = Join-Path $Work 'written'
        New-Item -ItemType Directory -Force -Path $folder | Out-Null
        $name = Install-Proof 'writer' @('--grant-write', $folder) @($PoliteExe)
        $identity = Get-Identity $name
        $sddl = (Get-Acl -LiteralPath $folder).Sddl
        Assert-That $sddl.Contains($identity) "it was not let in: $sddl"
        Invoke-Mainstay @('service', 'remove', $name, '--purge') | Out-Null
        $sddl = (Get-Acl -LiteralPath $folder).Sddl
        Assert-That (-not $sddl.Contains($identity)) "it keeps its rights: $sddl"
        "$identity came and went"
    }
}
