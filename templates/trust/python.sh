# ---- Python: ssl asks the system; requests from pip brings a list of its own and has to be told ----

python_file=/etc/profile.d/regctl-trust-$KIT_ID-python.sh

python_found() { [ "$for_user" != yes ] && [ "$system" != Darwin ] && has python3; }

# The list requests uses, or nothing.
python_list() { env -u REQUESTS_CA_BUNDLE -u CURL_CA_BUNDLE python3 -c 'import requests.certs; print(requests.certs.where())' 2>/dev/null; }

python_apply() {
  python_store=$(system_bundle) || {
    fail "there is no system store that Python could be pointed to" "install the package ca-certificates, then run this again"
    return 1
  }
  if ! holds_all "$python_store"; then
    case " $selected " in
      *" system "*) ;;
      *)
        say note python "Python asks the system's store, so that is filled"
        python_kept=$CLIENT
        CLIENT=system
        system_apply || return 1
        settle_client
        CLIENT=$python_kept
        ;;
    esac
  fi
  python_own=$(python_list)
  if [ -z "$python_own" ] || [ "$(real_path "$python_own")" = "$python_store" ]; then
    say same python "Python asks the system's store, $python_store"
    return 0
  fi
  profile_variable "$python_file" REQUESTS_CA_BUNDLE "$python_store" || return 1
  [ "$dry_run" = yes ] || say note python "requests of pip reads it from the next login on; programs in environments of their own (venv) as well"
}

python_check() {
  python_answer=$(within 20 python3 -c 'import sys, urllib.request
try:
    print("HTTP Error 40:", urllib.request.urlopen(sys.argv[1], timeout=10).status)
except Exception as error:
    print(error)' "https://$KIT_PROBE/v2/" 2>&1)
  verdict "$python_answer" "a request by Python's urllib" "run this kit with --client system"
  [ -n "$(python_list)" ] || return 0
  python_bundle=${REQUESTS_CA_BUNDLE:-}
  if [ -z "$python_bundle" ] && [ -r "$python_file" ]; then python_bundle=$(system_bundle); fi
  python_answer=$(REQUESTS_CA_BUNDLE=$python_bundle within 20 python3 -c 'import sys, requests
try:
    print("HTTP Error 40:", requests.get(sys.argv[1], timeout=10).status_code)
except Exception as error:
    print(error)' "https://$KIT_PROBE/v2/" 2>&1)
  verdict "$python_answer" "a request by Python's requests" "run this kit with --client python, then log in anew"
}
