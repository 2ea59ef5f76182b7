// Collects the probes of the instruction sets that can run here.
#include "backend/backend.hpp"
#include "lanes_probe.hpp"

namespace limrisk::test {

LanesProbe portable_probe();
LanesProbe avx2_probe();
LanesProbe avx512_probe();

std::vector<LanesProbe> available_probes() {
    std::vector<LanesProbe> probes;
    for (const Isa isa : available_isas()) {
        if (isa == Isa::Portable) probes.push_back(portable_probe());
#if defined(LIMRISK_X86)
        if (isa == Isa::Avx2) probes.push_back(avx2_probe());
        if (isa == Isa::Avx512) probes.push_back(avx512_probe());
#endif
    }
    return probes;
}

}  // namespace limrisk::test
