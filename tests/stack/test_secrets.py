"""What is masked and what is not, over many shapes of names, values and places."""

from __future__ import annotations

import json
from itertools import product

import pytest

from tui.stack.secrets import MASK, is_secret, masked, masked_record, masked_text, masked_words

SECRET_NAMES = """
PASSWORD DB_PASSWORD POSTGRES_PASSWORD PGPASSWORD MYSQL_ROOT_PASSWORD dbPassword Password Pwd DB_PWD DB_PASS
SMTP_PASSWD passphrase SECRET SECRET_KEY secretKey CLIENT_SECRET JWT_SECRET FERNET_KEY AIRFLOW__CORE__FERNET_KEY
ENCRYPTION_KEY AIRFLOW__WEBSERVER__SECRET_KEY AIRFLOW__API_AUTH__JWT_SECRET SIGNING_KEY signing-key API_KEY apiKey
api.key X-Api-Key OPENAI_API_KEY AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN MINIO_ROOT_USER
MINIO_ROOT_PASSWORD AccountKey AZURE_STORAGE_KEY SharedAccessKey PRIVATE_KEY SSH_PRIVATE_KEY HF_TOKEN GITHUB_TOKEN
JUPYTER_TOKEN access_token authToken auth-token X-Amz-Security-Token X-Amz-Credential MLFLOW_TRACKING_PASSWORD
MLFLOW_TRACKING_TOKEN REDIS_AUTH NEO4J_AUTH BASIC_AUTH Authorization GOOGLE_CREDENTIALS SLACK_WEBHOOK
spark.authenticate.secret spark.hadoop.fs.s3a.secret.key spark.hadoop.fs.s3a.access.key spark.ssl.keyPassword
spark.ssl.keyStorePassword spark.ssl.ui.trustStorePassword spark.hadoop.fs.azure.account.key.me.blob.core.windows.net
spark.kafka.clusters.c.sasl.token.secret sasl.jaas.config spark.io.encryption.key spark.hadoop.fs.s3a.session.token
spark.kubernetes.authenticate.oauthToken KMS_MASTER_KEY
"""
PLAIN_NAMES = """
KEY_COLUMNS KEY_COLUMN primary_key PRIMARY_KEY foreign_key partitionKey sort_key join_keys group_key cacheKey
public_key key KEYS KEYCLOAK_URL row_key keyboard monkey hockey TOKENIZER_PATH tokenizer TOKENIZERS_PARALLELISM
max_tokens MAX_TOKENS token_count TOKEN_TYPE PAD_TOKEN pad_token_id eos_token mask_token passengers PASSENGER_COUNT
first_pass bypass compass PWD OLDPWD AUTHOR AUTHORS authority spark.authenticate spark.ssl.keyStore
spark.io.encryption.enabled spark.io.encryption.keySizeBits spark.io.encryption.keygen.algorithm
fs.s3a.aws.credentials.provider POSTGRES_PASSWORD_FILE PASSWORD_MIN_LENGTH AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS
AIRFLOW__CORE__AUTH_MANAGER AUTH_TYPE TOKEN_URL signature MODEL_SIGNATURE significance secretary private_subnet HOME
PATH USER ROOT root_logger SPARK_USER SPARK_MASTER TASKS spark.executor.memory spark.sql.shuffle.partitions JAVA_HOME
user_id account accounts access_log session_id
"""
SCHEMES = ["redis", "postgresql+psycopg2", "amqp", "mysql", "mongodb+srv", "jdbc:mysql"]
PASSWORDS = ["hunter2", "p/a/s/s", "a@b", "p?x=1", "s:cr:t", "12/3", "%41bc", "a+b=="]


@pytest.mark.parametrize("name", SECRET_NAMES.split())
def test_names_of_secrets(name: str) -> None:
    assert is_secret(name)
    assert masked(name, "hunter2") == MASK and masked(name, "") == ""


@pytest.mark.parametrize("name", PLAIN_NAMES.split())
def test_names_that_only_sound_so(name: str) -> None:
    assert not is_secret(name)
    assert masked(name, "hunter2") == "hunter2"
    assert name == "PWD" or masked_words([f"--{name}", "hunter2", f"{name}=hunter2"]) == [
        f"--{name}",
        "hunter2",
        f"{name}=hunter2",
    ]


@pytest.mark.parametrize(
    ("scheme", "user", "password"),
    list(
        product(["redis", "postgresql+psycopg2", "amqp", "mysql", "mongodb+srv", "jdbc:mysql"], ["", "me"], PASSWORDS)
    ),
)
def test_a_password_in_an_address(scheme: str, user: str, password: str) -> None:
    safe = f"{scheme}://{user}:{MASK}@store:6379/0"
    assert masked_text(f"{scheme}://{user}:{password}@store:6379/0") == safe
    assert masked("STORE", f"x {scheme}://{user}:{password}@store:6379/0 y") == f"x {safe} y"
    assert masked_words(["--url", f"--at={scheme}://{user}:{password}@store:6379/0"])[1] == f"--at={safe}"


@pytest.mark.parametrize(
    "form",
    [
        "Server=db,1433;Database=x;User Id=sa;Password={};Encrypt=true",
        "Password={};Server=db",
        "Driver={{ODBC Driver 18}};Server=db;Uid=sa;Pwd={}",
        "DefaultEndpointsProtocol=https;AccountName=me;AccountKey={};EndpointSuffix=core.windows.net",
        "jdbc:sqlserver://db:1433;databaseName=x;user=sa;password={};encrypt=true",
        "jdbc:postgresql://db/x?user=me&password={}&ssl=true",
        "jdbc:oracle:thin:scott/{}@//db:1521/x",
        "postgresql://db/x?user=me&password={}",
        "password={} host=db user=me",
        "host=db password='{}' user=me",
        'org.apache.kafka.PlainLoginModule required username="me" password="{}";',
        "https://b.s3.amazonaws.com/k?X-Amz-Date=2&X-Amz-Signature={}&X-Amz-Expires=60",
        "https://s.blob.core.windows.net/c/b?sv=2024&sig={}&se=2027",
        "https://storage.googleapis.com/b/o?Expires=1&Signature={}",
        "https://site/hook?token={}",
        "https://maps.googleapis.com/x?key={}&q=1",
        "--conf spark.hadoop.fs.s3a.secret.key={} --class x.Y",
        "--conf=spark.hadoop.fs.s3a.secret.key={}",
        "serve --password {} --port 80",
        "serve --db-password={} --port 80",
        "sh -c 'TOKEN={} exec serve'",
        'curl -H "Authorization: Bearer {}" http://x',
        'curl -H "X-Api-Key: {}" http://x',
        '{{"user": "me", "password": "{}"}}',
        '"{{\\"api_key\\": \\"{}\\"}}"',
        "{{'token': '{}'}}",
        "user: me\npassword: {}\nport: 80",
        "ghp_{}hunter2hunter2hunter2hunter2hunter2",
    ],
)
def test_a_secret_in_a_text(form: str) -> None:
    text = form.format("hunter2")
    shown = masked_text(text)
    assert "hunter2" not in shown and MASK in shown
    assert "hunter2" not in str(masked_words(["x", text])), "as one word of a command line"
    # What is around it stays.
    assert shown.split(MASK)[0] == text[: len(shown.split(MASK)[0])]
    for rest in ("Encrypt=true", "host=db", "ssl=true", "--port 80", "--class x.Y", "X-Amz-Expires=60", "exec serve"):
        assert rest not in text or rest in shown


@pytest.mark.parametrize(
    "text",
    [
        "http://host:8080/@scope/pkg",
        "spark://master:7077",
        "http://127.0.0.1:8080/proxy/app-1/?x=a@b",
        "hdfs://namenode:9000/user/me@x",
        "abfss://container@account.dfs.core.windows.net/path",
        "ssh://git@github.com/x.git",
        "git+https://github.com/x/y@main",
        "mail me@example.org",
        "--tokenizer /models/bert --max-tokens 100 --key-column id",
        "primary_key=id;sort_key=at",
        "spark.authenticate=true",
        "https://site/?page=2&tokenize=yes",
        '{"primary_key": "id", "passengers": "5", "max_tokens": 3}',
        "12:30:00 INFO x: key: value",
        "auth=false use_token=true password=",
        "local[2] --py-files a.py,b.py /apps/x.py in=1 out=2",
    ],
)
def test_what_is_not_a_secret_stays(text: str) -> None:
    assert masked_text(text) == text
    assert masked_words(text.split()) == text.split()


def test_a_value_with_spaces_where_semicolons_separate() -> None:
    assert masked_text("a=b;Password=two words;c=d") == f"a=b;Password={MASK};c=d"
    assert masked_text("Password=two words;c=d") == f"Password={MASK};c=d"
    assert masked_words(["DB_PASSWORD=two words", "A=b"]) == [f"DB_PASSWORD={MASK}", "A=b"]


def test_options_and_what_follows_them() -> None:
    words = ["--password", "hunter2", "--use-token", "--verbose", "--secret", "-x9y", "-password", "pw", "last"]
    shown = ["--password", MASK, "--use-token", "--verbose", "--secret", MASK, "-password", MASK, "last"]
    assert masked_words(words) == shown
    assert masked_words(masked_words(words)) == shown, "what is masked stays as it is"


def test_a_record_however_deep() -> None:
    record = {
        "Config": {
            "Env": [
                "DB_PASSWORD=two words",
                "SPARK_MODE=worker",
                "DB_URL=postgres://me:pw1@db/x",
                "MINIO_ROOT_USER=abc4",
            ],
            "Cmd": ["serve", "--token=abc1", "--port=80"],
            "Labels": {"some.api_key": "abc2", "role": "web"},
        },
        "Args": ["sh", "-c", "LEVEL=1 AUTH_TOKEN=abc3 exec serve"],
        "Pid": 12,
    }
    masked = masked_record(record)
    text = json.dumps(masked)
    assert not [secret for secret in ("two", "words", "pw1", "abc1", "abc2", "abc3", "abc4") if secret in text]
    assert masked["Config"]["Env"][:2] == [f"DB_PASSWORD={MASK}", "SPARK_MODE=worker"]
    assert masked["Config"]["Cmd"] == ["serve", f"--token={MASK}", "--port=80"]
    assert masked["Config"]["Labels"] == {"some.api_key": MASK, "role": "web"}
    assert masked["Args"][2] == f"LEVEL=1 AUTH_TOKEN={MASK} exec serve"
    assert masked["Pid"] == 12


@pytest.mark.parametrize(
    "text", ["a" * 200_000, "a." * 100_000, "a://:" * 40_000, "password=" * 20_000, ";a" * 100_000, '"a": ' * 40_000]
)
@pytest.mark.timeout(30)
def test_a_strangers_text_takes_no_more_time_than_its_length(text: str) -> None:
    # Quadratic, it would take minutes.
    masked_text(text)
