"""Everything that can be set. The one place that reads the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, SettingsConfigDict

from classifiers.calibrate import DEFAULT_TARGET


def default_cache() -> Path:
    """Where things are kept unless the operator says otherwise."""
    return Path.home() / ".cache" / "letheward"


class ClientIn(BaseModel):
    """A client: its key, its name for lists' ``tenants``, and the lists that it may leave out by a header."""

    model_config = ConfigDict(extra="forbid")

    key: SecretStr
    name: str | None = Field(None, max_length=128)
    may_choose: list[str] = Field(default_factory=list)


class Settings(BaseSettings):
    """Options of ``letheward serve``; each is also an environment variable ``LETHEWARD_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="LETHEWARD_", env_file=".env", extra="ignore")

    config: Path | None = Field(None, description="TOML or YAML file with any of these; variables go before it")
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    cache_dir: Path = Field(default_factory=default_cache, description="model, lists, admin key, logs")
    database_url: str | None = Field(None, description="SQLAlchemy URL; default an SQLite file in cache_dir")
    store_keys: list[SecretStr] = Field(
        default_factory=list, description="JSON list of `letheward store new-key`: the first encrypts the store's texts"
    )
    sample_list: bool = Field(True, description="create the sample list in an empty store")

    workers: int = Field(1, ge=1, le=256, description="processes that serve from one socket")
    shutdown_timeout: float = Field(30, ge=1, description="seconds that running answers have to end")
    max_snapshot_age: float | None = Field(
        None, gt=0, description="seconds without the store after which requests are refused; default never"
    )
    share_responses: bool | None = Field(
        None, description="keep /v1/responses in the store, sealed; default where there are several workers"
    )

    model: str = Field("smollm2", description="'smollm2' (embedded), a folder, or a hub name")
    model_path: Path | None = Field(None, description="folder with tokenizer.json and safetensors of the served model")
    upstream: str | None = Field(None, description="URL of a vLLM that is already there")
    upstreams: list[str] = Field(default_factory=list, description="JSON list of URLs, where there are several vLLMs")
    upstream_key: SecretStr | None = None
    upstream_check: float = Field(5, gt=0, description="seconds between looks at whether each upstream answers")
    vllm_args: str = Field("", description="more arguments for the managed vLLM")
    startup_timeout: float = Field(900, gt=0)
    connect_timeout: float = Field(5, gt=0)
    read_timeout: float = Field(600, gt=0)

    admin_key: SecretStr | None = Field(None, description="default: made once, kept in cache_dir/admin.key")
    client_keys: list[SecretStr] = Field(default_factory=list, description="JSON list; empty: anyone may ask")
    clients: list[ClientIn] = Field(
        default_factory=list, description="JSON list of {key, name, may_choose}: clients that lists can be for"
    )
    requests_per_minute: int | None = Field(
        None, ge=1, description="of a key or, without keys, an address, in each worker; a key may have its own limit"
    )
    concurrent_requests: int | None = Field(None, ge=1, description="at a time, of the same")
    max_concurrent_requests: int = Field(
        2048, ge=1, description="of all clients that a worker answers at a time; 429 with Retry-After beyond"
    )
    max_waiting_requests: int = Field(
        512, ge=1, description="of them, those that wait to be judged; 429 with Retry-After beyond"
    )
    trusted_proxies: list[str] = Field(
        default_factory=list,
        description="JSON list of addresses or networks whose X-Forwarded-For and -Proto are believed, others' are not",
    )
    session_seconds: int = Field(8 * 3600, ge=60, description="for how long one is signed in to the web page")
    public_url: str | None = Field(None, description="https://HOST of the web page, where a proxy stands before it")
    oidc_issuer: str | None = Field(None, description="OpenID Connect provider for signing in to the web page")
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = Field(None, description="default: a public client, by PKCE alone")
    oidc_claim: str = Field("groups", description="claim of the id token that makes somebody something, or email")
    oidc_roles: dict[str, Literal["auditor", "operator", "admin"]] = Field(
        default_factory=dict, description="JSON object of that claim's values to auditor, operator or admin"
    )
    routes: list[str] = Field(
        default_factory=list, description="JSON list of further POST routes of the upstream, such as /v1/rerank"
    )

    signing_key: Path | None = Field(
        None, description="PEM file of the Ed25519 key for deletion records; default one made in cache_dir"
    )
    verification_webhook: SecretStr | None = Field(
        None, description="URL that is told when a deletion is no longer proved"
    )

    enforce: bool = Field(True, description="false: everything passes untouched, and what would be done is logged")
    metrics_public: bool = Field(False, description="serve /metrics without the admin key")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_texts_of: list[str] = Field(
        default_factory=list, description="JSON list of lists: what they flag is written to logs and traces, as text"
    )
    traces_endpoint: str | None = Field(None, description="OTLP/HTTP collector for traces, http://localhost:4318")
    traces_sampling: float = Field(1.0, ge=0, le=1, description="share of requests traced that came without a trace")

    encoder: str = Field("auto", description="auto (minilm on a GPU, else minilm-int8), use-multilingual, st:MODEL")
    scorer: str = Field("head", description="head, rule, dragon, trained:NAME or dragon:NAME; a list may have its own")
    false_positive_rate: float = Field(DEFAULT_TARGET, gt=0, lt=1, description="what thresholds are calibrated to")
    learning: bool = Field(True, description="fit the head and calibrate thresholds after changes")
    detector_workers: int = Field(2, ge=1)
    on_detector_failure: Literal["block", "allow"] = "block"
    check_answers: bool = Field(True, description="false: answers go to the client as they come")
    media: Literal["pass", "refuse"] = Field("pass", description="images, audio, video and files in requests")
    answer_pace: float = Field(0, ge=0, le=1, description="seconds between the tokens of a refusal, as a model's come")
    remembered_texts: int = Field(
        4096, ge=0, le=1_000_000,
        description="whose hash is kept with what the detector found, for a client who sends them again; 0: none",
    )  # fmt: skip
    recent_requests: int = Field(256, ge=0, le=10_000, description="kept in memory alone, to try changes on; 0: none")
    require_if_match: bool = Field(False, description="refuse changes of lists and entries that come without If-Match")
    documents_by_model: bool = Field(False, description="documents to be forgotten may be shown to the served model")
    max_body_bytes: int = Field(32 * 1024 * 1024, ge=1024)
    max_parts: int = Field(4096, ge=1)
    max_depth: int = Field(64, ge=4)

    guard_upstream: str | None = Field(None, description="URL of the guard model's server; default the upstream")
    guard_upstream_key: SecretStr | None = None
    guard_model: str | None = Field(None, description="default: the model that the client asked for")
    guard_lora: str | None = Field(None, description="adapter of `dragon train`: the managed vLLM's guard model")
    guard_timeout: float = Field(30, gt=0)
    guard_max_tokens: int = Field(64, ge=1)

    @field_validator("routes")
    @classmethod
    def _paths(cls, values: list[str]) -> list[str]:
        for value in values:
            if not re.fullmatch(r"(/[\w.-]+)+", value):
                raise ValueError(f"{value!r} is no path such as /v1/rerank")
        return values

    @field_validator("verification_webhook")
    @classmethod
    def _web_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not re.match(r"https?://[^/]", value.get_secret_value()):
            raise ValueError("must begin with http:// or https://")
        return value or None

    @field_validator("traces_endpoint")
    @classmethod
    def _collector(cls, value: str | None) -> str | None:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/").removesuffix("/v1/traces") if value else None

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, values: list[str]) -> list[str]:
        for value in values:
            ip_network(value, strict=False)  # its own error names what is wrong
        return values

    @field_validator("oidc_issuer", "public_url")
    @classmethod
    def _safe_url(cls, value: str | None) -> str | None:
        if value and not re.match(r"https://[^/]|http://(localhost|127\.\d+\.\d+\.\d+|\[::1\])([:/]|$)", value):
            raise ValueError("must begin with https://, unless it is on this machine")
        return value or None

    @model_validator(mode="after")
    def _oidc_is_whole(self) -> Settings:
        if self.oidc_issuer and not (self.oidc_client_id and self.oidc_roles):
            raise ValueError("oidc_issuer needs oidc_client_id, and oidc_roles: who may come in as what")
        return self

    @field_validator("upstream", "guard_upstream")
    @classmethod
    def _base_url(cls, value: str | None) -> str | None:
        return _base(value) if value else None

    @field_validator("upstreams")
    @classmethod
    def _base_urls(cls, values: list[str]) -> list[str]:
        return list(dict.fromkeys(map(_base, values)))

    @model_validator(mode="after")
    def _adapter_is_served(self) -> Settings:
        if self.guard_lora and (self.upstream_urls or self.guard_upstream or self.guard_model):
            raise ValueError(
                "guard_lora is for the managed vLLM alone: start another with the arguments that "
                "`letheward dragon list` shows, and name its model in guard_model"
            )
        return self

    @model_validator(mode="after")
    def _one_way_to_name_upstreams(self) -> Settings:
        if self.upstream and self.upstreams:
            raise ValueError("give upstream or upstreams, not both")
        return self

    @property
    def upstream_urls(self) -> tuple[str, ...]:
        """Where models answer that are there already; empty where the proxy starts its own."""
        return (self.upstream,) if self.upstream else tuple(self.upstreams)

    @property
    def store_url(self) -> str:
        """Where the forget lists are."""
        return self.database_url or f"sqlite:///{self.cache_dir.absolute()}/letheward.db"


def _base(url: str) -> str:
    """A server's URL without ``/v1``."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return url.rstrip("/").removesuffix("/v1")


# Variables of the commands that ask a running proxy, or of tests.
_OTHERS = ("letheward_url", "letheward_retained_key", "letheward_test_")


@dataclass(frozen=True, slots=True)
class Variables:
    """What the environment and ``.env`` set. ``unknown``: variables that look like settings, and are none."""

    values: Mapping[str, Any] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


def variables() -> Variables:
    """The settings that the environment names, not yet validated.

    Raises:
        pydantic_settings.SettingsError: a variable that must hold JSON does not.
    """
    sources = (DotEnvSettingsSource(Settings), EnvSettingsSource(Settings))
    prefix = str(Settings.model_config["env_prefix"]).lower()
    values: dict[str, Any] = {}
    seen: set[str] = set()
    for source in sources:
        values |= {name.lower().removeprefix(prefix): value for name, value in source().items()}
        seen |= {name.lower() for name in source.env_vars if name.lower().startswith(prefix)}
    known = {prefix + name for name in Settings.model_fields}
    unknown = sorted(name.upper() for name in seen - known if not name.startswith(_OTHERS))
    return Variables({k: v for k, v in values.items() if k in Settings.model_fields}, tuple(unknown))
