// PTX from NVRTC, C++ from PTX, a shared object from the host's compiler.
#include "ptx_compiler.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "limrisk/error.hpp"
#include "ptx_translator.hpp"

namespace limrisk::test {
namespace {

std::string read_source(const std::string& name) {
    const std::string path = fmt::format("{}/{}", LIMRISK_EMULATION_SOURCES, name);
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) throw Error(ExitCode::InputOutput, fmt::format("cannot read {}", path));
    return text.str();
}

}  // namespace

cuda::CompileJob translated_job(const std::string& name, const std::string& ptx) {
    static const std::string instructions = read_source("ptx_instructions.hpp");
    static const cuda::SourceText header{"ptx_instructions.hpp", instructions};
    cuda::CompileJob job;
    job.name = "the PTX of " + name;
    job.source = translate_ptx(ptx);
    job.architecture = "sm_90";  // read by no one: it was decided with the PTX
    // Compiling takes longer than running what the tests run.
    job.options = {"-O0", "-fno-strict-aliasing"};
    job.headers = {&header, 1};
    return job;
}

PtxCompiler::PtxCompiler(const cuda::Nvrtc& nvrtc) : nvrtc_(nvrtc) {
    // All that a translation comes from: the programs of another one are not taken from the cache.
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(LIMRISK_EMULATION_SOURCES))
        if (const std::string name = entry.path().filename().string(); name.starts_with("ptx_") && !name.ends_with("_test.cpp"))
            names.insert(name);
    std::string translation;
    for (const std::string& name : names) translation += read_source(name);
    identity_ = fmt::format("PTX of {} translated by {:016x} for {}", nvrtc.identity(), XXH3_64bits(translation.data(), translation.size()),
                            host_.identity());
}

std::vector<std::string> PtxCompiler::fixed_options() const {
    std::vector<std::string> options = nvrtc_.fixed_options();
    for (std::string& option : host_.fixed_options()) options.push_back(std::move(option));
    return options;
}

cuda::CompiledProgram PtxCompiler::compile(const cuda::CompileJob& job) const {
    return host_.compile(translated_job(job.name, nvrtc_.ptx(job)));
}

}  // namespace limrisk::test
