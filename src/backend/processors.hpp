// How many processors this process may use: fewer than the machine has under taskset, Slurm, a container or a systemd slice.
#pragma once
#include <functional>
#include <optional>
#include <string>

namespace limrisk {

struct ProcessorLimits {
    int machine = 1;              ///< that the machine has
    int allowed = 1;              ///< of them, by this process's affinity (sched_setaffinity(2)); Slurm's cpus-per-task comes as one
    std::optional<double> quota;  ///< processors' worth of time per unit of time, by the tightest of its cgroups; 1.5 is possible

    /// The speed of many threads over that of one, at most.
    double speed() const;
    /// Threads that can be at work at once: the speed, rounded up.
    int usable() const;
};

/// Of this process, now.
ProcessorLimits processor_limits();
int usable_processors();

/// The tightest quota of the process's cgroups and their parents, versions 1 (cpu.cfs_quota_us) and 2 (cpu.max); nullopt: none.
///   groups  /proc/self/cgroup
///   mounts  /proc/self/mountinfo
///   read    a whole file, empty if it cannot be read
std::optional<double> cgroup_quota(const std::string& groups, const std::string& mounts,
                                   const std::function<std::string(const std::string&)>& read);

}  // namespace limrisk
