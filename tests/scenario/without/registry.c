/* A build without the registry: its stories are not played. */
#include "scenario/scene.h"

bool scene_play_registry(struct scene *scene, char *rest)
{
    (void)rest;
    return scene_complain(scene, "this build has no registry");
}

void stage_close_registry(struct stage *stage)
{
    (void)stage;
}
