"""A bank to develop and test against: pure in `bank`, behind real SFTP in `server`.

Nothing else of the gateway imports this package except the demonstration and the command line.
"""
