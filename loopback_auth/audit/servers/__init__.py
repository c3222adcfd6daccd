"""What an authorization server does with requests that need no sign-in, judged by the clauses of the RFCs."""
