// A few lines of CUDA C++ on an emulated device, for tests of the emulation itself.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backend/cuda/compile_many.hpp"
#include "emulation.hpp"

namespace limrisk::test {

/// Compiles through the cache of the tests, as a backend would.
inline std::string emulated_machine_code(const cuda::CompileJob& job) {
    const HostCompiler compiler;
    cuda::CompileManyOptions options;
    options.cache = &emulated_program_cache();
    options.threads = 1;
    return cuda::compile_many(compiler, {&job, 1}, options).programs[0]->cubin;
}
inline std::string emulated_machine_code(const std::string& name, const std::string& source,
                                         std::span<const cuda::SourceText> headers = cuda::device_headers()) {
    cuda::CompileJob job;
    job.name = name;
    job.source = source;
    job.architecture = "sm_90";
    job.headers = headers;
    return emulated_machine_code(job);
}

/// A runtime of one device, the device, a stream and a program.
struct LoadedProgram {
    explicit LoadedProgram(const std::string& name, const std::string& source, const EmulatedRuntimeOptions& options = {},
                           std::span<const cuda::SourceText> headers = cuda::device_headers())
        : LoadedProgram(emulated_machine_code(name, source, headers), options) {}
    explicit LoadedProgram(const cuda::CompileJob& job, const EmulatedRuntimeOptions& options = {})
        : LoadedProgram(emulated_machine_code(job), options) {}

    /// Of machine code.
    LoadedProgram(const std::string& machine_code, const EmulatedRuntimeOptions& options)
        : runtime(options), device(runtime.open(0)), stream(device->make_stream()), module(device->load(machine_code)) {}

    template <class Value>
    Value* allocate(std::size_t count) {
        return static_cast<Value*>(device->allocate(count * sizeof(Value)));
    }
    template <class Value>
    Value* upload(const std::vector<Value>& values) {
        Value* memory = allocate<Value>(values.size());
        stream->copy_to_device(memory, values.data(), values.size() * sizeof(Value));
        return memory;
    }
    template <class Value>
    std::vector<Value> download(const Value* memory, std::size_t count) {
        std::vector<Value> values(count);
        stream->copy_to_host(values.data(), memory, count * sizeof(Value));
        return values;
    }
    template <class Arguments>
    void launch(const std::string& kernel, std::int64_t blocks, int threads, const Arguments& arguments, std::size_t shared_bytes = 0) {
        stream->launch(module->kernel(kernel, shared_bytes), blocks, threads, shared_bytes, &arguments);
    }

    EmulatedRuntime runtime;
    std::unique_ptr<cuda::Device> device;
    std::unique_ptr<cuda::Stream> stream;
    std::unique_ptr<cuda::Module> module;
};

}  // namespace limrisk::test
