"""What libpq says of a server's certificate, in our words."""

from __future__ import annotations

import psycopg2
import pytest

from synctasks.database import connect_error
from synctasks.errors import SetupError


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ('root certificate file "/etc/root.crt" does not exist', "there is no file of root"),
        ("SSL error: certificate verify failed", "is not signed by any of the root"),
        (
            'server certificate for "db.example" does not match host name "10.0.0.1"',
            "its certificate is of another host name",
        ),
        ("server does not support SSL, but SSL was required", "the server speaks no TLS"),
    ],
)
def test_a_certificate_that_does_not_prove_the_server_is_for_an_operator(
    said: str, cause: str
) -> None:
    problem = connect_error(psycopg2.OperationalError(f"connection failed: {said}\n"), "warehouse")
    assert isinstance(problem, SetupError)
    assert cause in str(problem)
    assert "SYNCTASKS_WAREHOUSE_URL" in str(problem)
