// Fuzz target: any text is either a campaign, whose cells can be described and read back, or a ConfigError that says something.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "campaign/campaign.hpp"
#include "campaign/cell_description.hpp"
#include "limrisk/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(bytes), size);
    try {
        const limrisk::Campaign campaign = limrisk::parse_campaign(text, "fuzz.toml");
        if (campaign.cells.empty() || campaign.trials < 1) std::abort();
        const limrisk::CellConfig& last = campaign.cells.back();
        if (limrisk::cell_from_description(last.description).id != last.id) std::abort();
    } catch (const limrisk::ConfigError& error) {
        if (error.problems().empty()) std::abort();
        for (const std::string& problem : error.problems()) {
            // A place comes first; only the count of what was left out has none.
            if (problem.find(':') == std::string::npos && !problem.starts_with("... and")) std::abort();
        }
    }
    return 0;
}
