"""What the watches tell → what the serving process hears of it."""

import dataclasses
import pickle
from datetime import timedelta

import pytest
from pydantic import TypeAdapter

from forecaster.cluster.changes import Broken, Changed, Gone, Listed, WatchState
from forecaster.cluster.pod_shape import PodShape
from forecaster.cluster.resources import BY_KIND
from forecaster.cluster.seen import (
    AutoscalerSeen,
    NodeSeen,
    PodSeen,
    QuotaSeen,
    Scaled,
    ScaledObjectSeen,
    TargetRef,
)
from forecaster.settings import KubernetesSettings
from forecaster.worker.cluster_messages import (
    ClusterHealth,
    ClusterRoom,
    ClusterSeen,
    Declared,
    LeadTimesSeen,
)
from forecaster.worker.cluster_reading import ClusterReading
from forecaster.worker.start_up_watch import KeptLead

NOW = 1_781_467_200.0  # 2026-06-14 20:00 UTC
DAY = 86_400.0
PLAYER = TargetRef("Deployment", "player")
ON = {"preroll.io/enabled": "true", "preroll.io/capacity": "10", "preroll.io/lead-time": "auto"}
KINDS = tuple(one for one in BY_KIND if one != "Node")


def scaled(target=PLAYER, namespace="tv", replicas=2, ready=2):
    return Scaled(namespace, target, replicas, ready, PodShape(0.5, 1e9))


def hpa(target=PLAYER, namespace="tv", desired=2):
    name = f"keda-hpa-{target.name}"
    return AutoscalerSeen(namespace, name, target, 1, 50, 2, desired)


def keda(target=PLAYER, namespace="tv", name=None, **annotations):
    name = name or target.name
    said = {**ON, **{f"preroll.io/{key}": value for key, value in annotations.items()}}
    uid = f"uid-{namespace}-{name}"
    return ScaledObjectSeen(namespace, name, uid, "1", target, 1, 50, said)


def pod(uid, target=PLAYER, namespace="tv", born=NOW - 3600, ready=40.0, **known):
    at = {} if ready is None else {"ready": born + ready}
    known = {"scheduled": born + 1, "initialised": born + 2, **at, **known}
    return PodSeen(namespace, f"{target.name}-{uid}", uid, target, born, **known)


def settings(**known):
    return KubernetesSettings(watch=True, **known)


def listed(kind, *values, namespace=None):
    return Listed(kind, namespace, tuple(values))


class Telling:
    """A reading, and all that it told, in the order in which it did."""

    def __init__(self, *configured, kept=None, **known):
        self.reading = ClusterReading(settings(**known), configured, kept or {})
        self.now = NOW

    def tell(self, *told, after=1.0):
        for one in told:
            self.reading.take(one, self.now)
        self.now += after
        return self.reading.news(self.now)

    def all_listed(self, *values, but=(), spaces=(None,)):
        """Every kind is listed, with these objects in it."""
        lists = [
            listed(kind, *(one for one in values if kind_of(one) == kind), namespace=space)
            for kind in KINDS
            if kind not in but
            for space in spaces
        ]
        return self.tell(*lists)


def kind_of(value):
    names = {
        PodSeen: "Pod",
        ScaledObjectSeen: "ScaledObject",
        AutoscalerSeen: "HorizontalPodAutoscaler",
        QuotaSeen: "ResourceQuota",
        NodeSeen: "Node",
    }
    return value.ref.kind if isinstance(value, Scaled) else names[type(value)]


def of(kind, messages):
    return [one for one in messages if isinstance(one, kind)]


def names(messages):
    return [one.workload for told in of(Declared, messages) for one in told.workloads]


def seen(messages):
    return {name: one for told in of(ClusterSeen, messages) for name, one in told.workloads.items()}


def leads(messages):
    return {k: one for told in of(LeadTimesSeen, messages) for k, one in told.workloads.items()}


def changed(value):
    return Changed(kind_of(value), "changed", value)


def gone(value):
    return Gone(kind_of(value), value.namespace, value.name, getattr(value, "uid", ""))


def test_nothing_is_said_to_be_declared_before_scaled_objects_were_listed():
    one = Telling()
    assert of(Declared, one.tell(changed(keda()))) == []
    assert of(Declared, one.tell(*(listed(kind) for kind in KINDS if kind != "ScaledObject"))) == []
    assert names(one.tell(listed("ScaledObject", keda()))) == ["tv/player"]


def test_an_empty_list_says_that_nothing_is_declared():
    assert of(Declared, Telling().all_listed()) == [Declared(())]


def test_of_several_namespaces_those_that_are_not_read_yet_are_named():
    one = Telling(namespaces=("tv", "ads"))
    state = WatchState("ScaledObject", "ads", False, None, "not allowed to list")
    assert of(Declared, one.tell(state)) == []
    (told,) = of(Declared, one.tell(listed("ScaledObject", keda(), namespace="tv")))
    assert ([w.workload for w in told.workloads], told.unread) == (["tv/player"], ("ads",))
    (told,) = of(Declared, one.tell(listed("ScaledObject", namespace="ads")))
    assert told.unread == ()


def test_where_keda_is_not_installed_what_it_declared_before_stays():
    one = Telling("tv/player")
    one.all_listed(scaled(), pod("a"), but=("ScaledObject",))
    missing = WatchState("ScaledObject", None, False, None, "KEDA is not installed")
    told = one.tell(missing)
    assert of(Declared, told) == [] and seen(told)["tv/player"].ready == 1
    assert of(ClusterHealth, told)[0].problems == ("KEDA is not installed",)
    assert of(Declared, one.tell(after=DAY)) == []


def test_without_annotations_nothing_is_declared_nor_wrong():
    one = Telling(annotations=False)
    told = one.all_listed(keda(), keda(TargetRef("Deployment", "x"), capacity="much"))
    assert of(Declared, told) == [] and one.reading.problems() == ()


def test_a_bad_annotation_is_told_and_what_it_said_before_holds():
    one = Telling()
    one.all_listed(keda())
    (told,) = of(Declared, one.tell(changed(keda(capacity="much"))))
    assert [w.rule.capacity_rps for w in told.workloads] == [10.0]
    assert "capacity" in told.problems[0] and len(one.reading.problems()) == 1


def test_half_a_cluster_is_not_told():
    """Without the pods every workload would seem to have none ready."""
    one = Telling("tv/player")
    parts = [listed("Deployment", scaled()), listed("ScaledObject"), listed("StatefulSet")]
    assert of(ClusterSeen, one.tell(*parts)) == []
    parts = [listed("HorizontalPodAutoscaler"), listed("ResourceQuota")]
    assert of(ClusterSeen, one.tell(*parts)) == []
    (told,) = of(ClusterSeen, one.tell(listed("Pod", pod("a"), pod("b"))))
    assert told.whole and told.workloads["tv/player"].ready == 2


def test_a_kind_that_cannot_be_read_does_not_hold_the_others_up():
    one = Telling("tv/player")
    one.all_listed(scaled(ready=2), hpa(), but=("Pod",))
    told = seen(one.tell(WatchState("Pod", None, False, None, "not allowed to list pods")))
    assert (told["tv/player"].ready, told["tv/player"].pods) == (2, None)  # as the Deployment says


def test_only_the_first_message_is_whole_even_where_there_is_nothing():
    one = Telling("tv/player")
    assert of(ClusterSeen, one.all_listed()) == [ClusterSeen({}, whole=True)]
    (told,) = of(ClusterSeen, one.tell(changed(scaled())))
    assert not told.whole and set(told.workloads) == {"tv/player"}


def test_a_quiet_round_tells_nothing():
    one = Telling("tv/player", namespaces=("tv",))
    told = one.all_listed(scaled(), hpa(), keda(), pod("a"), spaces=("tv",))
    kinds = {type(message) for message in told}
    assert kinds >= {Declared, ClusterSeen, ClusterHealth, LeadTimesSeen}
    assert one.tell() == []
    same = dataclasses.replace(keda(), resource_version="2")
    assert one.tell(changed(same), changed(pod("a"))) == []


def test_what_changes_is_told_and_nothing_else():
    other = TargetRef("Deployment", "other")
    one = Telling("tv/player", "tv/other")
    one.all_listed(scaled(), scaled(other), hpa(), pod("a"), pod("b", other))
    told = seen(one.tell(changed(hpa(desired=9))))
    assert set(told) == {"tv/player"} and told["tv/player"].autoscaler.desired == 9
    assert set(seen(one.tell(gone(pod("b", other))))) == {"tv/other"}


def test_what_is_gone_is_none_and_what_was_never_there_is_not_told():
    one = Telling("tv/player", "tv/never")
    assert set(seen(one.all_listed(scaled(), pod("a")))) == {"tv/player"}
    one.tell(gone(pod("a")))
    assert seen(one.tell(Gone("Deployment", "tv", "player", "u"))) == {"tv/player": None}
    assert seen(one.tell(changed(scaled())))["tv/player"].scaled is not None


def test_a_declared_workload_is_what_its_object_scales_whatever_its_name():
    one = Telling()
    told = one.all_listed(scaled(), hpa(), keda(name="front"), pod("a"))
    assert names(told) == ["tv/player"]
    assert seen(told)["tv/player"].scaled_object.name == "front"
    said = {**ON, "preroll.io/name": "edge"}
    told = one.tell(changed(dataclasses.replace(keda(name="front"), annotations=said)))
    assert names(told) == ["tv/edge"]
    assert seen(told)["tv/player"] is None and seen(told)["tv/edge"].ready == 1


def test_workloads_of_the_settings_come_before_declared_ones():
    one = Telling("tv/player")
    told = one.all_listed(scaled(), keda(), pod("a"))
    assert names(told) == []
    (declared,) = of(Declared, told)
    assert "stands in Preroll's settings" in declared.problems[0]
    assert seen(told)["tv/player"].scaled_object is not None


@pytest.mark.parametrize("kind", ["StatefulSet", "Rollout"])
def test_a_target_may_be_of_another_kind(kind):
    target = TargetRef(kind, "player")
    objects = [hpa(target), keda(target), pod("a", target), pod("b", target, ready=None)]
    if kind == "StatefulSet":
        objects.append(scaled(target))
    for one in (Telling(), Telling("tv/player")):
        told = seen(one.all_listed(*objects))["tv/player"]
        assert (told.ready, told.pods) == (1, 2)
        assert told.autoscaler is not None
        assert (told.scaled is not None) is (kind == "StatefulSet")


def test_an_hpa_alone_says_of_what_kind_a_workload_of_the_settings_is():
    rollout = TargetRef("Rollout", "player")
    one = Telling("tv/player")
    told = seen(one.all_listed(hpa(rollout), pod("a", rollout), pod("b", rollout, ready=None)))
    assert (told["tv/player"].autoscaler.target, told["tv/player"].pods) == (rollout, 2)
    late = Telling("tv/player")
    late.all_listed(pod("a", rollout))
    told = seen(late.tell(changed(hpa(rollout))))
    assert (told["tv/player"].autoscaler.target, told["tv/player"].ready) == (rollout, 1)


def test_what_a_pod_takes_is_told_as_the_newest_one_has_it():
    small, large = PodShape(cpu=0.5), PodShape(cpu=2.0)
    rollout = TargetRef("Rollout", "player")
    old, new = pod("z", rollout, shape=small), pod("a", rollout, born=NOW - 60, shape=large)
    one = Telling("tv/player")
    told = seen(one.all_listed(hpa(rollout), keda(rollout), new, old))["tv/player"]
    assert (told.scaled, told.running) == (None, large)
    told = seen(one.tell(gone(new)))["tv/player"]
    assert told.running == small
    resized = dataclasses.replace(old, shape=large)
    assert seen(one.tell(changed(resized)))["tv/player"].running == large
    told = seen(one.tell(gone(old)))["tv/player"]
    assert (told.pods, told.running) == (None, large)
    gone_too = gone(keda(rollout)), gone(hpa(rollout))
    assert seen(one.tell(*gone_too)) == {"tv/player": None}
    assert (
        seen(one.tell(changed(hpa(rollout)), changed(keda(rollout))))["tv/player"].running is None
    )


def test_without_a_pod_a_deployment_is_what_its_template_says():
    one = Telling("tv/player")
    admitted = pod("a", shape=PodShape(cpu=2.0))
    assert seen(one.all_listed(scaled(), admitted))["tv/player"].running == PodShape(cpu=2.0)
    assert seen(one.tell(gone(admitted)))["tv/player"].running is None


def test_a_target_whose_pods_nobody_can_tell_has_no_count():
    target = TargetRef("Fleet", "player")  # its pods belong to something else by name
    told = seen(Telling().all_listed(hpa(target), keda(target)))["tv/player"]
    assert (told.ready, told.pods) == (None, None)


def test_of_two_of_the_same_name_it_is_the_one_that_is_scaled():
    state = TargetRef("StatefulSet", "player")
    one = Telling("tv/player")
    objects = [scaled(ready=7), scaled(state), hpa(state), pod("a", state), pod("d")]
    assert seen(one.all_listed(*objects))["tv/player"].scaled.ref == state
    # and no start-up of the other counts
    assert leads(one.tell(after=601))["tv/player"].summary.count == 1


def test_the_message_of_a_pod_without_a_node_is_told():
    one = Telling("tv/player")
    waiting = pod("b", born=NOW, ready=None, unschedulable="0/3 nodes are available")
    told = seen(one.all_listed(scaled(), pod("a"), waiting))["tv/player"]
    assert told.unschedulable == "0/3 nodes are available"


def test_lead_times_are_measured_of_pods_that_were_there_before_the_declaration():
    one = Telling()
    pods = [pod(f"p{i}", born=NOW - 3600 - 60 * i, ready=40.0 + i) for i in range(10)]
    one.all_listed(scaled(), *pods, but=("ScaledObject",))
    told = leads(one.tell(listed("ScaledObject", keda())))["tv/player"]
    assert (told.summary.count, told.summary.watched) == (10, False)
    assert told.measured.measured == timedelta(seconds=49 + 18)
    assert told.measured.lead_time == timedelta(seconds=75)


def test_lead_times_of_pods_that_come_up_while_we_watch():
    one = Telling("tv/player")
    one.all_listed(scaled())
    for i in range(6):
        new = pod(f"p{i}", born=one.now, ready=None, scheduled=None, initialised=None)
        one.tell(changed(new), after=30.0)
        done = pod(f"p{i}", born=new.created, ready=30.0)
        told = leads(one.tell(changed(done), after=30.0))["tv/player"]
    assert (told.summary.count, told.summary.watched) == (6, True)
    assert told.measured.measured == timedelta(seconds=48)


def test_a_restart_goes_on_and_counts_no_pod_twice():
    pods = [pod(f"p{i}", born=NOW - 3600 - i, ready=40.25) for i in range(8)]
    one = Telling("tv/player")
    before = leads(one.all_listed(scaled(), *pods))["tv/player"]
    kept = one.reading.unsaved()
    assert one.reading.unsaved() == {}
    stored = TypeAdapter(KeptLead)
    loaded = {name: stored.validate_json(stored.dump_json(k)) for name, k in kept.items()}
    assert loaded == kept
    assert all(type(row[5]) is int and type(row[6]) is int for row in loaded["tv/player"].rows)
    again = Telling("tv/player", kept=loaded)
    assert leads(again.tell())["tv/player"].summary == before.summary  # before anything is listed
    assert leads(again.all_listed(scaled(), *pods)) == {}
    assert again.reading.unsaved() == {}


def test_a_workload_that_comes_back_is_measured_at_once():
    """Whoever was told has forgotten it when it was gone."""
    pods = [pod(f"p{i}", born=NOW - 3600 - i) for i in range(8)]
    one = Telling()
    first = leads(one.all_listed(scaled(), keda(), *pods))["tv/player"]
    told = one.tell(gone(keda()))
    assert names(told) == [] and seen(told) == {"tv/player": None}
    told = one.tell(changed(keda()))
    assert leads(told)["tv/player"].summary.count == first.summary.count == 8


def test_start_ups_of_a_workload_that_is_gone_are_let_go_after_a_day():
    pods = [pod(f"p{i}", born=NOW - 3600 - i) for i in range(8)]
    one = Telling()
    one.all_listed(scaled(), keda(), *pods)
    assert list(one.reading.unsaved()) == ["tv/player"]
    one.tell(gone(keda()))
    one.tell(after=DAY / 2)
    assert one.reading.unsaved() == {}
    one.tell(after=DAY + 1)
    assert one.reading.unsaved() == {"tv/player": None}


def test_start_ups_that_were_kept_stay_while_nobody_knows_what_is_declared():
    kept = {"tv/player": KeptLead(((NOW - 3600, 1.0, 0.0, 1.0, 30.0, 4, 7),) * 6, None)}
    one = Telling(kept=kept)
    one.tell(after=DAY)
    one.tell(after=DAY)
    assert one.reading.unsaved() == {}
    assert leads(one.tell(listed("ScaledObject", keda())))["tv/player"].summary.count == 6


def test_pods_of_nobody_we_know_cost_nothing():
    one = Telling("tv/player")
    one.all_listed(*(pod(f"p{i}", TargetRef("Deployment", "foreign")) for i in range(50)))
    assert one.reading.unsaved() == {} and leads(one.tell(after=601)) == {}


def test_the_health_names_what_fails_and_the_oldest_of_several_watches():
    one = Telling("tv/player", namespaces=("tv", "ads"))
    one.all_listed(spaces=("tv", "ads"))
    for kind in KINDS:
        one.tell(*(WatchState(kind, space, True, one.now) for space in ("tv", "ads")))
    cut = [
        WatchState("Pod", space, False, NOW + at, f"pods in {space}: cannot connect")
        for space, at in (("tv", 9.0), ("ads", 5.0))
    ]
    (health,) = of(ClusterHealth, one.tell(*cut))
    assert health.as_of["Pod"] == NOW + 5.0 and health.as_of["Deployment"] is None
    assert health.problems == ("pods in tv: cannot connect", "pods in ads: cannot connect")
    (health,) = of(ClusterHealth, one.tell(WatchState("Pod", "ads", True, one.now)))
    assert health.as_of["Pod"] == NOW + 9.0
    (health,) = of(ClusterHealth, one.tell(WatchState("Pod", "tv", True, one.now)))
    assert health.as_of["Pod"] is None and health.problems == ()


def test_what_was_never_read_has_no_age():
    one = Telling()
    (health,) = of(ClusterHealth, one.tell(WatchState("Pod", None, False, None, "not allowed")))
    assert "Pod" not in health.as_of and "Deployment" not in health.as_of
    (health,) = of(ClusterHealth, one.tell(WatchState("Pod", None, True, NOW)))
    assert health.as_of == {"Pod": None}


def test_objects_that_cannot_be_used_are_told_and_not_all_of_them():
    broken = [Broken("Pod", "tv", f"p{i}", "no uid") for i in range(1000)]
    (health,) = of(ClusterHealth, Telling().tell(*broken))
    assert health.problems[0] == "Pod tv/p0: no uid" and len(health.problems) == 4
    assert health.problems[-1] == "and 997 more objects that cannot be used"


def test_watches_of_many_namespaces_that_fail_are_few_lines():
    spaces = tuple(f"n{i}" for i in range(300))
    states = [WatchState("Pod", one, False, None, f"pods in {one}: down") for one in spaces]
    (health,) = of(ClusterHealth, Telling(namespaces=spaces).tell(*states))
    assert len(health.problems) == 21 and "280 more" in health.problems[-1]


def test_quotas_of_our_namespaces_are_told_and_not_with_each_pod():
    one = Telling("tv/player", nodes=True)
    mine, foreign = QuotaSeen("tv", "q", {"pods": 9.0}), QuotaSeen("ads", "q", {"pods": 9.0})
    node = NodeSeen("n1", NOW, NOW, 4.0, 1e9, 110)
    one.all_listed(mine, foreign)
    (room,) = of(ClusterRoom, one.tell(listed("Node", node), after=15))
    used = [dataclasses.replace(mine, used={"pods": float(i)}) for i in range(1, 11)]
    rooms = [message for q in used for message in of(ClusterRoom, one.tell(changed(q), after=5.0))]
    assert (room.quotas, room.nodes) == ((mine,), (node,))
    assert 2 <= len(rooms) <= 3
    assert of(ClusterRoom, one.tell(after=15.0))[-1].quotas == (used[-1],)


def test_nodes_that_nobody_has_read_are_not_a_cluster_without_room():
    one = Telling("tv/player", nodes=True)
    quota = QuotaSeen("tv", "q", {"pods": 9.0})
    (room,) = of(ClusterRoom, one.all_listed(quota))  # Node: 403, or on its way
    assert (room.quotas, room.nodes) == ((quota,), None)
    node = NodeSeen("n1", NOW, NOW, 4.0, 1e9, 110)
    (room,) = of(ClusterRoom, one.tell(listed("Node", node), after=15))
    assert room.nodes == (node,)


def test_a_declared_workload_brings_the_quota_of_its_namespace():
    one = Telling()
    told = one.all_listed(QuotaSeen("tv", "q", {"pods": 9.0}), but=("ScaledObject",))
    assert of(ClusterRoom, told) == []
    one.tell(listed("ScaledObject", keda()))
    (room,) = of(ClusterRoom, one.tell(after=15))
    assert [quota.name for quota in room.quotas] == ["q"] and room.nodes is None


def test_messages_are_small_however_many_workloads_there_are():
    many = [TargetRef("Deployment", f"w{i}") for i in range(1200)]
    one = Telling()
    objects = [o for t in many for o in (scaled(t), hpa(t), keda(t), pod(f"a-{t.name}", t))]
    told = one.all_listed(*objects)
    parts = of(ClusterSeen, told)
    assert len(seen(told)) == len(leads(told)) == 1200
    assert [part.whole for part in parts] == [True, False, False, False, False]
    for part in (*parts, *of(LeadTimesSeen, told)):
        assert len(part.workloads) <= 250 and len(pickle.dumps(part)) < 200_000
