"""Everything that can be set. The one place that reads the environment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

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

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    cache_dir: Path = Field(default_factory=default_cache, description="model, lists, admin key, logs")
    database_url: str | None = Field(None, description="SQLAlchemy URL; default an SQLite file in cache_dir")
    sample_list: bool = Field(True, description="create the sample list in an empty store")

    model: str = Field("smollm2", description="'smollm2' (embedded), a folder, or a hub name")
    model_path: Path | None = Field(None, description="folder with tokenizer.json and safetensors of the served model")
    upstream: str | None = Field(None, description="URL of a vLLM that is already there")
    upstream_key: SecretStr | None = None
    vllm_args: str = Field("", description="more arguments for the managed vLLM")
    startup_timeout: float = Field(900, gt=0)
    connect_timeout: float = Field(5, gt=0)
    read_timeout: float = Field(600, gt=0)

    admin_key: SecretStr | None = Field(None, description="default: made once, kept in cache_dir/admin.key")
    client_keys: list[SecretStr] = Field(default_factory=list, description="JSON list; empty: anyone may ask")
    clients: list[ClientIn] = Field(
        default_factory=list, description="JSON list of {key, name, may_choose}: clients that lists can be for"
    )
    routes: list[str] = Field(
        default_factory=list, description="JSON list of further POST routes of the upstream, such as /v1/rerank"
    )

    enforce: bool = Field(True, description="false: everything passes untouched, and what would be done is logged")
    metrics_public: bool = Field(False, description="serve /metrics without the admin key")

    encoder: str = Field("auto", description="auto (minilm on a GPU, else minilm-int8), use-multilingual, st:MODEL")
    scorer: str = Field("head", description="head, rule, dragon, trained:NAME or dragon:NAME; a list may have its own")
    false_positive_rate: float = Field(DEFAULT_TARGET, gt=0, lt=1, description="what thresholds are calibrated to")
    learning: bool = Field(True, description="fit the head and calibrate thresholds after changes")
    detector_workers: int = Field(2, ge=1)
    on_detector_failure: Literal["block", "allow"] = "block"
    check_answers: bool = Field(True, description="false: answers go to the client as they come")
    media: Literal["pass", "refuse"] = Field("pass", description="images, audio, video and files in requests")
    answer_pace: float = Field(0, ge=0, le=1, description="seconds between the tokens of a refusal, as a model's come")
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

    @field_validator("upstream", "guard_upstream")
    @classmethod
    def _base_url(cls, value: str | None) -> str | None:
        if not value:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/").removesuffix("/v1")

    @model_validator(mode="after")
    def _adapter_is_served(self) -> Settings:
        if self.guard_lora and (self.upstream or self.guard_upstream or self.guard_model):
            raise ValueError(
                "guard_lora is for the managed vLLM alone: start another with the arguments that "
                "`letheward dragon list` shows, and name its model in guard_model"
            )
        return self

    @property
    def store_url(self) -> str:
        """Where the forget lists are."""
        return self.database_url or f"sqlite:///{self.cache_dir.absolute()}/letheward.db"
