from __future__ import annotations

from dataclasses import replace

from forecaster.cluster.declared import DeclaredWorkloads
from forecaster.cluster.seen import ScaledObjectSeen, TargetRef
from forecaster.settings.workload_shape import DefaultsShape


def seen(name: str, *, uid: str = "", target: str = "", **annotations: str) -> ScaledObjectSeen:
    told = {f"preroll.io/{key.replace('_', '-')}": text for key, text in annotations.items()}
    ref = TargetRef("Deployment", target or name)
    return ScaledObjectSeen(
        "streaming", name, uid or f"uid-{name}", "1", ref, 2, 60, {**told}, {"tier": "edge"}
    )


def enabled(
    name: str, capacity: str = "120", *, uid: str = "", called: str | None = None
) -> ScaledObjectSeen:
    more = {} if called is None else {"preroll.io/name": called}
    plain = seen(name, uid=uid, enabled="true", capacity=capacity)
    return replace(plain, annotations={**plain.annotations, **more})


def workloads(declared: DeclaredWorkloads) -> dict[str, float]:
    return {one.settings.workload: one.settings.rule.capacity_rps for one in declared.workloads()}


def said(declared: DeclaredWorkloads) -> list[str]:
    return [str(one) for one in declared.problems()]


def test_a_declaration_comes_changes_and_goes() -> None:
    declared = DeclaredWorkloads(DefaultsShape(), ())
    assert declared.take(None, enabled("page"))
    assert declared.take(None, enabled("player", "50"))
    assert workloads(declared) == {"streaming/page": 120.0, "streaming/player": 50.0}
    assert declared.take(enabled("page"), enabled("page", "130"))
    assert workloads(declared)["streaming/page"] == 130.0
    assert declared.take(enabled("page", "130"), seen("page"))
    assert declared.take(enabled("player", "50"), None)
    assert workloads(declared) == {}


def test_what_changes_nothing_about_a_declaration_says_so() -> None:
    declared = DeclaredWorkloads(DefaultsShape(), ())
    assert not declared.take(None, seen("other"))
    assert declared.take(None, enabled("page"))
    assert not declared.take(enabled("page"), replace(enabled("page"), paused=True))
    assert not declared.take(enabled("page"), replace(enabled("page"), resource_version="9"))
    assert declared.take(enabled("page"), replace(enabled("page"), max_replicas=70))
    assert declared.take(None, replace(enabled("page"), target=TargetRef("StatefulSet", "page")))
    assert not declared.take(seen("other"), None)


def test_what_has_not_changed_is_the_very_same_value() -> None:
    declared = DeclaredWorkloads(DefaultsShape(), ())
    declared.take(None, enabled("page"))
    assert declared.workloads() is declared.workloads()
    assert declared.problems() is declared.problems()


def test_an_edit_that_cannot_be_used_takes_no_floor_away() -> None:
    declared = DeclaredWorkloads(DefaultsShape(), ())
    declared.take(None, enabled("page"))
    assert declared.take(enabled("page"), enabled("page", "lots"))
    assert workloads(declared) == {"streaming/page": 120.0}
    assert said(declared) == [
        "ScaledObject streaming/page: preroll.io/capacity: 'lots' is not a number; "
        'for example: "120"; what it said before holds'
    ]
    assert not declared.take(None, enabled("page", "lots"))
    assert declared.take(enabled("page", "lots"), enabled("page", "90"))
    assert (workloads(declared), said(declared)) == ({"streaming/page": 90.0}, [])


def test_an_object_that_was_never_fine_declares_nothing() -> None:
    declared = DeclaredWorkloads(DefaultsShape(), ())
    declared.take(None, enabled("page", "lots"))
    assert workloads(declared) == {}
    assert said(declared)[0].endswith('for example: "120"')


def test_an_object_made_again_under_its_name_does_not_inherit() -> None:
    declared = DeclaredWorkloads(DefaultsShape(), ())
    declared.take(None, enabled("page"))
    declared.take(enabled("page"), enabled("page", "lots", uid="another"))
    assert workloads(declared) == {}


def after_restart(
    before: DeclaredWorkloads, defaults: DefaultsShape | None = None
) -> DeclaredWorkloads:
    kept = [one for one in before.unsaved().values() if one is not None]
    return DeclaredWorkloads(defaults or DefaultsShape(), (), kept)


def test_what_it_said_before_a_restart_holds_over_a_mistake() -> None:
    before = DeclaredWorkloads(DefaultsShape(), ())
    before.take(None, enabled("page"))
    before.take(enabled("page"), enabled("page", "lots"))
    after = after_restart(before)
    assert workloads(after) == {}  # nobody has seen the object yet
    assert after.take(None, enabled("page", "lots"))
    assert workloads(after) == {"streaming/page": 120.0}
    assert said(after)[0].endswith("what it said before holds")
    assert after.take(enabled("page", "lots"), enabled("page", "90"))
    assert (workloads(after), said(after)) == ({"streaming/page": 90.0}, [])


def test_what_held_before_a_restart_is_over_with_the_object_its_end_or_its_switch() -> None:
    before = DeclaredWorkloads(DefaultsShape(), ())
    before.take(None, enabled("page"))
    kept = [one for one in before.unsaved().values() if one is not None]
    for made_again in (True, False):
        after = DeclaredWorkloads(DefaultsShape(), (), kept)
        if made_again:
            after.take(None, enabled("page", "lots", uid="another"))
        else:
            after.take(None, seen("page", enabled="false"))
        assert workloads(after) == {}
        assert after.unsaved() == {("streaming", "page"): None}
    gone = DeclaredWorkloads(DefaultsShape(), (), kept)
    assert gone.unsaved() == {}
    gone.forget_unseen()
    assert gone.unsaved() == {("streaming", "page"): None}


def test_only_what_a_restart_needs_is_to_be_saved() -> None:
    declared = DeclaredWorkloads(DefaultsShape(), ())
    declared.take(None, enabled("page"))
    assert declared.unsaved() == {("streaming", "page"): enabled("page")}
    declared.take(enabled("page"), replace(enabled("page"), paused=True, resource_version="2"))
    declared.take(enabled("page"), enabled("page", "lots"))
    assert declared.unsaved() == {}
    again = DeclaredWorkloads(DefaultsShape(), (), [enabled("page")])
    again.take(None, enabled("page"))
    again.forget_unseen()
    assert again.unsaved() == {}
    again.take(enabled("page"), None)
    assert again.unsaved() == {("streaming", "page"): None}


def test_the_settings_come_first_and_the_object_is_told() -> None:
    declared = DeclaredWorkloads(DefaultsShape(), {"streaming/page"})
    declared.take(None, enabled("page"))
    assert workloads(declared) == {}
    assert said(declared) == [
        "ScaledObject streaming/page: preroll.io/enabled: streaming/page stands in Preroll's "
        'settings, which come first; for example: preroll.io/enabled: "false"'
    ]


def test_of_two_of_one_name_the_first_counts_and_takes_its_place_when_it_goes() -> None:
    declared = DeclaredWorkloads(DefaultsShape(), ())
    declared.take(None, enabled("b", "2", called="page"))
    declared.take(None, enabled("a", "1", called="page"))
    assert workloads(declared) == {"streaming/page": 1.0}
    assert said(declared) == [
        "ScaledObject streaming/b: preroll.io/name: streaming/page is declared by ScaledObject "
        "streaming/a already; for example: preroll.io/name: b"
    ]
    declared.take(enabled("a", "1", called="page"), None)
    assert (workloads(declared), said(declared)) == ({"streaming/page": 2.0}, [])


def test_an_object_asks_in_vain_for_the_name_that_another_has_by_itself() -> None:
    declared = DeclaredWorkloads(DefaultsShape(), ())
    declared.take(None, enabled("ads", "50", called="manifest"))
    declared.take(None, enabled("manifest", "120"))
    assert workloads(declared) == {"streaming/manifest": 120.0}
    assert said(declared) == [
        "ScaledObject streaming/ads: preroll.io/name: streaming/manifest is declared by "
        "ScaledObject streaming/manifest already; for example: preroll.io/name: ads"
    ]
    declared.take(enabled("manifest", "120"), None)
    assert workloads(declared) == {"streaming/manifest": 50.0}
