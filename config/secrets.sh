#!/bin/sh
# Makes the passwords of the Redis users, once, the ACL file that knows their hashes, and a token for HTTP. What is there stays.
#
#   secrets.sh DIR [USERS.ACL]   DIR/crm-reportd.password, DIR/dashboard.password, DIR/users.acl, DIR/http.tokens
#
# Environment: REDIS_UID (owner of users.acl), DAEMON_UID (owner of crm-reportd.password, http.tokens); default: who runs it.
set -eu

[ $# -ge 1 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
dir=$1 template=${2:-$(dirname "$0")/users.acl}
umask 077
mkdir -p "$dir"
chmod 755 "$dir"

secret() { # FILE
  [ -s "$1" ] || od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$1"
}

cp "$template" "$dir/users.acl.new"
for user in crm-reportd dashboard; do
  file=$dir/$user.password
  secret "$file"
  hash=$(tr -d '\n' <"$file" | sha256sum | cut -d ' ' -f 1)
  sed -i "/^user $user /s/ resetpass / #$hash /" "$dir/users.acl.new"
done
mv "$dir/users.acl.new" "$dir/users.acl"
chown "${REDIS_UID:-$(id -u)}" "$dir/users.acl"
secret "$dir/http.tokens"
chown "${DAEMON_UID:-$(id -u)}" "$dir/crm-reportd.password" "$dir/http.tokens"
