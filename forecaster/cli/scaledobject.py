"""``preroll scaledobject``: KEDA's objects, ready for a repository."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecaster.cli.config_option import USUAL_CONFIG, OptionalConfigOption, find_config
from forecaster.cli.options import WorkloadsOption
from forecaster.cli.terminal import out, print_notice, print_warning
from forecaster.cli.version_options import KedaOption, KubernetesOption, read_keda, read_kubernetes

if TYPE_CHECKING:
    from forecaster.keda import ScaledObjectOptions
    from forecaster.settings import Settings

__all__ = ["scaledobject"]

_BAD = 1


def scaledobject(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE", help="With --check: manifests to look through.", show_default=False
        ),
    ] = None,
    config: OptionalConfigOption = None,
    workload: WorkloadsOption = None,
    namespace: Annotated[
        list[str] | None,
        typer.Option(
            "--namespace",
            "-n",
            metavar="NAME",
            help="Only workloads of this one; can be repeated. Objects of --from without a "
            "namespace are in it.",
            show_default=False,
        ),
    ] = None,
    from_: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="What scales today: an HPA, a ScaledObject, or a bare Deployment or StatefulSet. "
            "Its name, bounds, behaviour and triggers are kept. A file, a folder, or - for "
            "standard input; can be repeated.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write one file for each object; otherwise all go to standard output.",
            show_default=False,
        ),
    ] = None,
    cpu: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=1000,
            metavar="PERCENT",
            help="Target of the CPU trigger where there is no other one; 0 for none. Otherwise "
            "keda.cpu_utilisation, 70.",
            show_default=False,
        ),
    ] = None,
    formula: Annotated[
        bool | None,
        typer.Option(
            "--formula/--no-formula",
            help="All external triggers as one formula (scalingModifiers).",
            show_default=False,
        ),
    ] = None,
    keep_scale_up: Annotated[
        bool, typer.Option("--keep-scale-up", help="Leave scaleUp as it is today.")
    ] = False,
    kubernetes: KubernetesOption = None,
    keda: KedaOption = None,
    headroom: Annotated[
        bool,
        typer.Option(
            "--headroom",
            help="Instead, the objects of placeholder pods that hold places on nodes ahead of a "
            "peak; --from has to have the workload's Deployment. They cost nodes.",
        ),
    ] = False,
    headroom_image: Annotated[
        str | None,
        typer.Option(
            "--headroom-image",
            metavar="IMAGE",
            help="With --headroom: an image that only sleeps, such as pause:3.10 from your "
            "registry.",
            show_default=False,
        ),
    ] = None,
    comments: Annotated[
        bool, typer.Option("--comments/--no-comments", help="Say why each value is as it is.")
    ] = True,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; look for traps in the FILEs.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 where there is a warning.")
    ] = False,
) -> None:
    """Print the KEDA objects of the workloads in the settings.

    A ScaledObject for each workload, and a TriggerAuthentication for each
    namespace where a token is sent; files that the settings name with tokens in
    them are not needed. The same input gives the same text. What
    KEDA would take, and then not do as it seems, is a warning.

    Example: preroll scaledobject --config preroll.yaml --output keda

    Example: kubectl get hpa player-api -o yaml | preroll scaledobject --from -

    Example: preroll scaledobject --check keda
    """
    from forecaster.cli.scaledobject_work import Work, check_files, make_objects
    from forecaster.keda import write_yaml

    if headroom == (headroom_image is None) or (headroom and check):
        raise typer.BadParameter(
            "--headroom and --headroom-image go together, without --check; for example: "
            "--headroom --headroom-image registry.example.com/pause:3.10",
            param_hint="--headroom",
        )
    if bool(files) != check:
        raise typer.BadParameter(
            "--check goes with files to look through; what scales today is named by --from",
            param_hint="--check" if check else "FILE",
        )
    settings = _settings(config, optional=check or bool(from_))
    options = _options(settings, cpu, formula, keep_scale_up, kubernetes, keda)
    chosen = Work(settings, options, tuple(workload or ()), tuple(namespace or ()))
    if check:
        told, traps = check_files(chosen, files or [])
        for line in told:
            out().print(line, markup=False, soft_wrap=True)
    else:
        if headroom_image is None:
            result = make_objects(chosen, from_ or [])
        else:
            from forecaster.cli.scaledobject_headroom import make_headroom

            result = make_headroom(chosen, from_ or [], headroom_image)
        traps = result.warnings
        reasons = result.reasons if comments else None
        texts = [(one, write_yaml([one], reasons)) for one in result.objects]
        _write(texts, output)
        for notice in result.notices:
            print_notice(notice)
    for trap in traps:
        print_warning(trap)
    if strict and traps:
        raise typer.Exit(_BAD)


def _write(texts: list[tuple[dict[str, Any], str]], output: Path | None) -> None:
    from forecaster.cli.scaledobject_files import file_name, write_files

    if output is None:
        typer.echo("---\n".join(text for _, text in texts), nl=False)
    else:
        write_files(output, {file_name(one): text for one, text in texts})
        print_notice(f"wrote {len(texts)} file{'' if len(texts) == 1 else 's'} to {output}")


def _settings(config: Path | None, *, optional: bool) -> Settings | None:
    """The settings, which are those of a server elsewhere; None where none are needed or found."""
    from forecaster.settings import load_settings

    found = find_config(config)
    if found is None and optional:
        print_notice("no preroll.yaml here: bounds and names are compared with no settings")
        return None
    return load_settings(found or USUAL_CONFIG, os.environ, elsewhere=True)


def _options(
    settings: Settings | None,
    cpu: int | None,
    formula: bool | None,
    keep_scale_up: bool,
    kubernetes: str | None,
    keda: str | None,
) -> ScaledObjectOptions:
    from dataclasses import replace

    from forecaster.keda import DEFAULT_OPTIONS, options_of

    changed: dict[str, Any] = {
        "cpu_utilisation": cpu,
        "formula": formula,
        "keep_scale_up": keep_scale_up,
        "kubernetes": read_kubernetes(kubernetes),
        "keda": read_keda(keda),
    }
    base = DEFAULT_OPTIONS if settings is None else options_of(settings.keda)
    return replace(base, **{key: value for key, value in changed.items() if value is not None})
