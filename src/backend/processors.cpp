// Affinity by sched_getaffinity(2); quotas as cgroups(7) says: a group may use no more than each of its parents.
#include "backend/processors.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <vector>

namespace limrisk {
namespace {

namespace fs = std::filesystem;
using Reader = std::function<std::string(const std::string&)>;

std::string contents(const std::string& path) {
    const std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
    return parts;
}

bool holds(const std::string& list, const std::string& name) {
    const std::vector<std::string> names = split(list, ',');
    return std::find(names.begin(), names.end(), name) != names.end();
}

int allowed_processors(int machine) {
    // More processors than a set has room for is EINVAL; the kernel's largest set is 8192.
    for (int room = 1024; room <= 65536; room *= 2) {
        cpu_set_t* const set = CPU_ALLOC(static_cast<std::size_t>(room));
        if (set == nullptr) break;
        const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(room));
        const int count = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
        CPU_FREE(set);
        if (count > 0) return count;
    }
    return machine;
}

/// "150000 100000" or "max 100000"; of version 1 from two files, where -1 means none.
std::optional<double> quota_of(const std::string& quota, const std::string& period) {
    double time = 0, of = 0;
    if (!(std::istringstream(quota) >> time) || !(std::istringstream(period) >> of) || !(time > 0) || !(of > 0)) return std::nullopt;
    return time / of;
}

std::optional<double> quota_in(const std::string& directory, bool second_version, const Reader& read) {
    if (!second_version) return quota_of(read(directory + "/cpu.cfs_quota_us"), read(directory + "/cpu.cfs_period_us"));
    const std::vector<std::string> words = split(read(directory + "/cpu.max"), ' ');
    return words.size() == 2 ? quota_of(words[0], words[1]) : std::nullopt;
}

/// The group's directory below where its hierarchy is mounted. Inside a container its path may begin above what is mounted.
fs::path directory_of(const std::string& group, const std::string& root, const std::string& mount) {
    const fs::path below = fs::path(group).lexically_relative(root);
    return below.empty() || *below.begin() == ".." ? fs::path(mount) : (fs::path(mount) / below).lexically_normal();
}

}  // namespace

std::optional<double> cgroup_quota(const std::string& groups, const std::string& mounts, const Reader& read) {
    std::optional<double> tightest;
    for (const std::string& line : split(groups, '\n')) {
        // "0::/user.slice" or "4:cpu,cpuacct:/job"
        const std::size_t first = line.find(':'), second = line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1), group = line.substr(second + 1);
        const bool second_version = controllers.empty();
        if (!second_version && !holds(controllers, "cpu")) continue;
        for (const std::string& mount : split(mounts, '\n')) {
            // "31 23 0:28 ROOT POINT options ... - TYPE source superoptions"
            const std::vector<std::string> words = split(mount, ' ');
            const auto dash = std::find(words.begin(), words.end(), "-");
            if (words.size() < 5 || words.end() - dash < 4) continue;
            if (second_version ? dash[1] != "cgroup2" : dash[1] != "cgroup" || !holds(dash[3], "cpu")) continue;
            const fs::path top = words[4];
            for (fs::path directory = directory_of(group, words[3], words[4]);; directory = directory.parent_path()) {
                const std::optional<double> quota = quota_in(directory.string(), second_version, read);
                if (quota && (!tightest || *quota < *tightest)) tightest = quota;
                if (directory == top || directory == directory.parent_path()) break;
            }
        }
    }
    return tightest;
}

double ProcessorLimits::speed() const {
    return std::min(static_cast<double>(allowed), quota.value_or(std::numeric_limits<double>::infinity()));
}

int ProcessorLimits::usable() const { return std::max(1, static_cast<int>(std::ceil(speed()))); }

ProcessorLimits processor_limits() {
    ProcessorLimits limits;
    limits.machine = static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
    limits.allowed = allowed_processors(limits.machine);
    limits.quota = cgroup_quota(contents("/proc/self/cgroup"), contents("/proc/self/mountinfo"), contents);
    return limits;
}

int usable_processors() { return processor_limits().usable(); }

}  // namespace limrisk
