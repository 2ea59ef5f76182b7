// Which parameters of its trials a campaign keeps in its store: the key `keep`.
#pragma once
#include <array>
#include <string>

namespace limrisk {

/// Of a trial: at the start, after its last step, at the check with its smallest risk (best_step), the average of its iterates.
enum class ParameterKind { Initial, Final, Best, Average };
inline constexpr std::size_t parameter_kinds = 4;
/// [parameter_kinds] as a campaign and a store name them.
inline constexpr std::array<const char*, parameter_kinds> parameter_kind_names{"initial", "final", "best", "average"};

struct KeptParameters {
    std::array<bool, parameter_kinds> kinds{};

    bool has(ParameterKind kind) const { return kinds[static_cast<std::size_t>(kind)]; }
    int count() const {
        int sum = 0;
        for (const bool kept : kinds) sum += kept;
        return sum;
    }
    bool any() const { return count() > 0; }
    bool operator==(const KeptParameters&) const = default;
    /// As in a campaign: ["initial", "final"].
    std::string text() const {
        std::string list;
        for (std::size_t kind = 0; kind < parameter_kinds; ++kind)
            if (kinds[kind]) list += std::string(list.empty() ? "" : ", ") + '"' + parameter_kind_names[kind] + '"';
        return "[" + list + "]";
    }
};

}  // namespace limrisk
