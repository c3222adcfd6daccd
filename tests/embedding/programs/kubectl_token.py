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
from loopback_auth.outputs.kubectl import exec_credential

_, issuer, folder = sys.argv
client = ClientConfig.at(issuer, client_id="loopback-auth-demo", scope="openid offline_access")
print(exec_credential(TokenSource(client, store=FileTokenStore(folder)).sign_in_sync(of="id_token")))
