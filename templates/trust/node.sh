# ---- Node.js: does not ask the system; NODE_EXTRA_CA_CERTS is read when a program starts ----

node_file=/etc/profile.d/regctl-trust-$KIT_ID-node.sh

node_found() { [ "$for_user" != yes ] && [ "$system" != Darwin ] && has node; }

node_apply() {
  authority_file || return 1
  profile_variable "$node_file" NODE_EXTRA_CA_CERTS "$authority_file" || return 1
  node_others=$(grep -l NODE_EXTRA_CA_CERTS /etc/profile.d/*.sh /etc/environment 2>/dev/null | grep -vxF "$node_file" | tr '\n' ' ')
  if [ -n "$node_others" ]; then
    say warning node "NODE_EXTRA_CA_CERTS is set in $node_others too, and the first one counts" "add the authority to the file named there"
  fi
  if [ "$dry_run" != yes ] && [ "$changed" = yes ]; then
    say note node "from the next login on; a service needs it in its unit: Environment=NODE_EXTRA_CA_CERTS=$authority_file"
  fi
}

node_check() {
  node_ca=${NODE_EXTRA_CA_CERTS:-}
  if [ -z "$node_ca" ] && [ -r "$node_file" ]; then node_ca=$state/ca.crt; fi
  node_answer=$(NODE_EXTRA_CA_CERTS=$node_ca within 20 node -e 'require("https").get(process.argv[1],{timeout:10000},(r)=>{console.log("HTTP Error 40: "+r.statusCode);process.exit()}).on("error",(e)=>{console.log(e.code+" "+e.message)})' "https://$KIT_PROBE/v2/" 2>&1)
  verdict "$node_answer" "a request by Node${node_ca:+ with NODE_EXTRA_CA_CERTS=$node_ca}" "run this kit with --client node, then log in anew"
}
