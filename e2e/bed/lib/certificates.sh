#!/usr/bin/env bash
# Certificates and kubeconfig files in $RUN/pki; what is there already stays.
. "$(dirname "$0")/settings.sh"
umask 077
mkdir -p "$RUN/pki"
cd "$RUN/pki"

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }

# Everything is written under another name first: an interrupted run leaves nothing half made.
authority() {
  [ ! -f "$1.crt" ] || return 0
  key "$1.key"
  openssl req -x509 -new -key "$1.key" -subj "/CN=larder-$1" -days 3650 -out "$1.part" 2> /dev/null
  mv "$1.part" "$1.crt"
}

# certificate NAME AUTHORITY SUBJECT [ALTERNATIVE-NAMES]
certificate() {
  [ ! -f "$1.crt" ] || return 0
  local extensions="basicConstraints=CA:FALSE
keyUsage=digitalSignature,keyEncipherment
extendedKeyUsage=clientAuth,serverAuth
${4:+subjectAltName=$4}"
  key "$1.key"
  openssl req -new -key "$1.key" -subj "$3" 2> /dev/null \
    | openssl x509 -req -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days 3650 -extfile <(echo "$extensions") -out "$1.part" 2> /dev/null
  mv "$1.part" "$1.crt"
}

# kubeconfig NAME SERVER
kubeconfig() {
  cat > "$1.conf" << CONF
apiVersion: v1
kind: Config
current-context: larder
clusters: [{name: larder, cluster: {server: "$2", certificate-authority-data: $(base64 -w0 < ca.crt)}}]
users: [{name: larder, user: {client-certificate-data: $(base64 -w0 < "$1.crt"), client-key-data: $(base64 -w0 < "$1.key")}}]
contexts: [{name: larder, context: {cluster: larder, user: larder}}]
CONF
}

authority ca
authority front-proxy-ca
if [ ! -f sa.pub ]; then
  key sa.key
  openssl ec -in sa.key -pubout -out sa.part 2> /dev/null
  mv sa.part sa.pub
fi
certificate apiserver ca /CN=kube-apiserver "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,\
DNS:kubernetes.default.svc.cluster.local,IP:$API_SERVICE_IP,IP:$CONTROL_PLANE_IP,IP:127.0.0.1"
certificate apiserver-kubelet-client ca /O=system:masters/CN=apiserver-kubelet-client
certificate front-proxy-client front-proxy-ca /CN=front-proxy-client
certificate admin ca /O=system:masters/CN=admin
kubeconfig admin "https://127.0.0.1:$API_PORT"
for component in kube-controller-manager kube-scheduler kube-proxy; do
  certificate "$component" ca "/CN=system:$component"
  kubeconfig "$component" "https://$CONTROL_PLANE_IP:6443"
done
for node in "${NODES[@]}"; do
  certificate "node-$node" ca "/O=system:nodes/CN=system:node:$node" "DNS:$node,IP:$(node_ip "$node")"
  kubeconfig "node-$node" "https://$CONTROL_PLANE_IP:6443"
done
