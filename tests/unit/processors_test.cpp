// Quotas read from trees of cgroups as they are on servers, in containers and on old systems.
#include "backend/processors.hpp"

#include <gtest/gtest.h>

#include <map>

namespace limrisk {
namespace {

constexpr const char* second_mount = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

std::optional<double> quota(const std::string& groups, const std::string& mounts, const std::map<std::string, std::string>& files) {
    return cgroup_quota(groups, mounts, [&](const std::string& path) {
        const auto found = files.find(path);
        return found == files.end() ? std::string() : found->second;
    });
}

TEST(Processors, TheTightestOfAGroupAndItsParentsCounts) {
    const std::string groups = "0::/user.slice/job.scope\n";
    const std::string own = "/sys/fs/cgroup/user.slice/job.scope/cpu.max", parent = "/sys/fs/cgroup/user.slice/cpu.max",
                      top = "/sys/fs/cgroup/cpu.max";
    EXPECT_EQ(quota(groups, second_mount, {}), std::nullopt);
    EXPECT_EQ(quota(groups, second_mount, {{own, "max 100000\n"}}), std::nullopt);
    EXPECT_EQ(quota(groups, second_mount, {{own, "150000 100000\n"}}), 1.5);
    EXPECT_EQ(quota(groups, second_mount, {{own, "max 100000\n"}, {parent, "400000 100000\n"}}), 4);
    EXPECT_EQ(quota(groups, second_mount, {{own, "200000 100000\n"}, {parent, "50000 100000\n"}, {top, "max 100000\n"}}), 0.5);
    EXPECT_EQ(quota(groups, second_mount, {{own, "max 100000\n"}, {top, "300000 100000\n"}}), 3);
}

TEST(Processors, AContainerSeesItsGroupAsTheRoot) {
    EXPECT_EQ(quota("0::/\n", second_mount, {{"/sys/fs/cgroup/cpu.max", "200000 100000\n"}}), 2);
    // Docker with version 1: the path is the host's, and what is mounted is the container's part of the tree.
    const std::string groups = "5:cpuacct,cpu:/docker/0123\n3:cpuset:/docker/0123\n1:name=systemd:/docker/0123\n0::/docker/0123\n";
    const std::string mounts = "41 40 0:30 /docker/0123 /sys/fs/cgroup/cpu,cpuacct ro,nosuid master:9 - cgroup cgroup rw,cpu,cpuacct\n";
    const std::string directory = "/sys/fs/cgroup/cpu,cpuacct/";
    EXPECT_EQ(quota(groups, mounts, {{directory + "cpu.cfs_quota_us", "250000\n"}, {directory + "cpu.cfs_period_us", "100000\n"}}), 2.5);
    EXPECT_EQ(quota(groups, mounts, {{directory + "cpu.cfs_quota_us", "-1\n"}, {directory + "cpu.cfs_period_us", "100000\n"}}),
              std::nullopt);
    // A path above the mounted root says nothing about where the group is: the root is what there is.
    EXPECT_EQ(quota("0::/../other\n", second_mount, {{"/sys/fs/cgroup/cpu.max", "100000 100000\n"}}), 1);
}

TEST(Processors, VersionOneLooksAtTheControllerOfProcessorTimeOnly) {
    const std::string groups = "4:cpu:/a/b\n3:cpuset:/a\n2:cpuacct:/a\n0::/\n";
    const std::string mounts =
        "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n33 31 0:30 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct\n";
    EXPECT_EQ(quota(groups, mounts,
                    {{"/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "100000\n"}, {"/sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "50000\n"}}),
              2);
    EXPECT_EQ(quota(groups, mounts,
                    {{"/sys/fs/cgroup/cpuacct/a/cpu.cfs_quota_us", "1\n"}, {"/sys/fs/cgroup/cpuacct/a/cpu.cfs_period_us", "1\n"}}),
              std::nullopt);
}

TEST(Processors, NonsenseIsNoQuota) {
    for (const char* text : {"", "\n", "max", "100000", "0 100000", "100000 0", "-1 100000", "x y", "1 2 3"})
        EXPECT_EQ(quota("0::/\n", second_mount, {{"/sys/fs/cgroup/cpu.max", text}}), std::nullopt) << text;
    EXPECT_EQ(quota("", "", {}), std::nullopt);
    EXPECT_EQ(quota("0::/a\nnonsense\n", "30 24 0:26\nnonsense - cgroup2\n", {}), std::nullopt);
}

TEST(Processors, ThreadsFollowAffinityAndQuota) {
    EXPECT_EQ((ProcessorLimits{64, 4, std::nullopt}).usable(), 4);
    EXPECT_EQ((ProcessorLimits{64, 64, 1.5}).usable(), 2);
    EXPECT_EQ((ProcessorLimits{64, 64, 1.5}).speed(), 1.5);
    EXPECT_EQ((ProcessorLimits{64, 2, 8.0}).speed(), 2);
    EXPECT_EQ((ProcessorLimits{2, 2, 0.01}).usable(), 1);
    EXPECT_GE(usable_processors(), 1);
    EXPECT_LE(processor_limits().allowed, processor_limits().machine);
}

}  // namespace
}  // namespace limrisk
