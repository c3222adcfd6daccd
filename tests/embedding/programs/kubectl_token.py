"""A credential plugin of kubectl, as kubelogin's `get-token` is: the ID token of the user for a cluster.

users:
- name: oidc
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: /path/to/kubectl_token.py
      args: [https://id.example, /folder/for/tokens]
      interactiveMode: Never
"""

import sys

from loopback_auth import ClientConfig, FileTokenStore, TokenSource
from loopback_auth.outputs.credential import credential
from loopback_auth.outputs.kubectl import kubectl

_, issuer, folder = sys.argv
client = ClientConfig.at(issuer, client_id="loopback-auth-demo", scope="openid offline_access")
sign_in = TokenSource(client, store=FileTokenStore(folder)).sign_in_sync(of="id_token")
print(kubectl(credential(sign_in, of="id_token")), end="")
