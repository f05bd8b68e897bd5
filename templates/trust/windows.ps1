param(
  [switch]$DryRun,
  [switch]$Undo,
  [switch]$Check,
  [switch]$Restart,
  [switch]$CurrentUser
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
$script:Failed = $false
$script:Untrusted = $false
$script:Changed = $false

$Scope = if ($CurrentUser) { 'CurrentUser' } else { 'LocalMachine' }
$Base = if ($CurrentUser) { $env:LOCALAPPDATA } else { $env:ProgramData }
$State = Join-Path $Base (Join-Path 'regctl-trust' $KitId)
$Manifest = Join-Path $State 'manifest.txt'

function Say([string]$Client, [string]$Text) { Write-Output ('{0}: {1}' -f $Client, $Text) }

function Test-Administrator {
  $principal = New-Object Security.Principal.WindowsPrincipal([Security.Principal.WindowsIdentity]::GetCurrent())
  $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
}

# A line is KIND|VALUE, written before the change it tells of.
function Add-Record([string]$Kind, [string]$Value) {
  if (-not (Test-Path -LiteralPath $State)) { New-Item -ItemType Directory -Path $State -Force | Out-Null }
  Add-Content -LiteralPath $Manifest -Value ('{0}|{1}' -f $Kind, $Value) -Encoding UTF8
}

function Get-Record { if (Test-Path -LiteralPath $Manifest) { @(Get-Content -LiteralPath $Manifest -Encoding UTF8) } else { @() } }

function ConvertTo-Certificate([string]$Pem) {
  $body = $Pem -replace '-----[A-Z ]+-----', '' -replace '\s', ''
  New-Object Security.Cryptography.X509Certificates.X509Certificate2(, [Convert]::FromBase64String($body))
}

# The store of Windows: Docker Desktop copies it into its machine when it starts; curl, .NET and browsers ask it.
function Install-Store {
  foreach ($pem in $KitAuthorities) {
    $certificate = ConvertTo-Certificate $pem
    $store = New-Object Security.Cryptography.X509Certificates.X509Store('Root', $Scope)
    $store.Open('ReadWrite')
    try {
      if ($store.Certificates.Find('FindByThumbprint', $certificate.Thumbprint, $false).Count -gt 0) {
        Say 'system' ('{0} is in the {1} root store already' -f $certificate.Thumbprint, $Scope)
      } elseif ($DryRun) {
        $script:Changed = $true
        Say 'system' ('would add {0} ({1}) to the {2} root store' -f $certificate.Thumbprint, $certificate.Subject, $Scope)
      } else {
        $script:Changed = $true
        Add-Record 'store' ('{0}:{1}' -f $Scope, $certificate.Thumbprint)
        $store.Add($certificate)
        Say 'system' ('added {0} to the {1} root store' -f $certificate.Thumbprint, $Scope)
      }
    } finally { $store.Close() }
  }
}

# The Windows engine (not Docker Desktop's Linux one): no colon in a folder's name, and its certs.d replaces the system's roots.
function Install-Engine {
  if (-not (Get-Service -Name 'docker' -ErrorAction SilentlyContinue)) { return }
  if ($CurrentUser) { Say 'docker' 'its certs.d belongs to administrators: run this without -CurrentUser'; return }
  foreach ($registry in $KitRegistries) {
    $folder = Join-Path $env:ProgramData (Join-Path 'docker\certs.d' ($registry -replace ':', ''))
    $file = Join-Path $folder 'ca.crt'
    $text = ($KitAuthorities -join '')
    if ((Test-Path -LiteralPath $file) -and ([IO.File]::ReadAllText($file) -eq $text)) { Say 'docker' "$file is there already"; continue }
    if ((Test-Path -LiteralPath $file) -and (-not ((Get-Record) -contains ('file|' + $file)))) {
      $file = Join-Path $folder ('regctl-' + $KitFingerprint + '.crt')
    }
    $script:Changed = $true
    if ($DryRun) { Say 'docker' "would write $file"; continue }
    foreach ($parent in @((Join-Path $env:ProgramData 'docker\certs.d'), $folder)) {
      if (-not (Test-Path -LiteralPath $parent)) { Add-Record 'folder' $parent; New-Item -ItemType Directory -Path $parent -Force | Out-Null }
    }
    if (-not ((Get-Record) -contains ('file|' + $file))) { Add-Record 'file' $file }
    [IO.File]::WriteAllText($file + '.new', $text)
    Move-Item -LiteralPath ($file + '.new') -Destination $file -Force
    Say 'docker' "wrote $file"
  }
}

function Undo-All {
  $records = @(Get-Record)
  if ($records.Count -eq 0) { Say 'kit' 'nothing of this kit is on this machine'; return }
  [array]::Reverse($records)
  foreach ($record in $records) {
    $kind, $value = $record -split '\|', 2
    if ($DryRun) { Say 'kit' "would take back $kind $value"; continue }
    switch ($kind) {
      'store' {
        $where, $thumbprint = $value -split ':', 2
        $store = New-Object Security.Cryptography.X509Certificates.X509Store('Root', $where)
        $store.Open('ReadWrite')
        try { foreach ($found in $store.Certificates.Find('FindByThumbprint', $thumbprint, $false)) { $store.Remove($found) } } finally { $store.Close() }
        Say 'system' "removed $thumbprint from the $where root store"
      }
      'file' { if (Test-Path -LiteralPath $value) { Remove-Item -LiteralPath $value; Say 'docker' "removed $value" } }
      'folder' {
        if ((Test-Path -LiteralPath $value) -and (@(Get-ChildItem -LiteralPath $value -Force).Count -eq 0)) { Remove-Item -LiteralPath $value }
      }
    }
  }
  if (-not $DryRun) {
    Remove-Item -LiteralPath $State -Recurse
    $parent = Split-Path $State
    if (@(Get-ChildItem -LiteralPath $parent -Force).Count -eq 0) { Remove-Item -LiteralPath $parent }
    $script:Changed = $true
  }
}

function Restart-Desktop {
  $desktop = Join-Path $env:ProgramFiles 'Docker\Docker\Docker Desktop.exe'
  if (-not (Test-Path -LiteralPath $desktop) -or -not $script:Changed -or $DryRun) { return }
  if ($Restart) {
    Get-Process -Name 'Docker Desktop' -ErrorAction SilentlyContinue | Stop-Process
    Start-Process -FilePath $desktop
    Say 'docker-desktop' 'restarted Docker Desktop'
  } else {
    Say 'docker-desktop' 'Docker Desktop has to be restarted once: it reads the root store when it starts (or run this with -Restart)'
  }
}

function Test-Registry {
  [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
  try {
    $null = Invoke-WebRequest -Uri ('https://' + $KitProbe + '/v2/') -UseBasicParsing -TimeoutSec 15
    Say 'system' 'trusted: a request by PowerShell'
  } catch {
    $text = $_.Exception.ToString()
    if ($text -match '\b(401|403|404)\b') { Say 'system' 'trusted: a request by PowerShell' }
    elseif ($text -match 'trust relationship|certificate|SSL connection') { $script:Untrusted = $true; Say 'system' ('NOT TRUSTED: ' + $_.Exception.Message) }
    else { Say 'system' ('could not verify: ' + $_.Exception.Message) }
  }
  if (Get-Command docker -ErrorAction SilentlyContinue) {
    $ErrorActionPreference = 'Continue'
    $answer = (& docker pull ($KitProbeName + '/regctl-trust-check:absent') 2>&1 | Out-String)
    $ErrorActionPreference = 'Stop'
    if ($answer -match 'x509|certificate') { $script:Untrusted = $true; Say 'docker' ('NOT TRUSTED: ' + $answer.Trim()) }
    elseif ($answer -match 'unauthorized|no basic auth|manifest unknown|denied|not found') { Say 'docker' 'trusted: a pull through the engine' }
    else { Say 'docker' ('could not verify: ' + $answer.Trim()) }
  }
}

if (-not $Check -and -not $DryRun -and -not $CurrentUser -and -not (Test-Administrator)) {
  Write-Error 'only an administrator may change what this machine trusts: run PowerShell as administrator, or add -CurrentUser'
  exit 2
}
if ($Undo) { Undo-All } elseif (-not $Check) { Install-Store; Install-Engine }
Restart-Desktop
if (-not $Undo -and -not $DryRun) { Test-Registry }
if ($script:Failed) { exit 1 }
if ($script:Untrusted) { exit 3 }
exit 0
